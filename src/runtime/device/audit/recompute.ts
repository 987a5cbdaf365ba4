import type { DeviceId, ModelId } from '../../../core/ids.ts'
import type { Tensor } from '../../../core/tensor.ts'
import type { ClusterView } from '../../cluster/cluster-view.ts'
import type { Errands } from './errands.ts'

export interface RecomputeParts {
  readonly view: ClusterView
  readonly errands: Pick<Errands, 'run'>
  /** From 0 to 1, and not to be foretold. */
  readonly chance: () => number
}

/** Blocks `from` to `until` of a model, on this activation. */
export interface Range {
  readonly model: ModelId
  readonly from: number
  readonly until: number
  readonly weight: number
  readonly input: readonly Tensor[]
}

export interface Recomputed {
  readonly tensors: readonly Tensor[]
  readonly by: ReadonlySet<DeviceId>
}

/**
 * Compute a range of blocks once more, on whichever devices that may, this one among them: as many blocks as can be on one, which of
 * them is left to chance.
 * @param without these @returns undefined where nobody does it
 */
export const recompute = async (
  { model, from, until, weight, input }: Range,
  without: ReadonlySet<DeviceId>,
  parts: RecomputeParts
): Promise<Recomputed | undefined> => {
  const by = new Set<DeviceId>()
  let [done, tensors] = [from, input]
  while (done < until) {
    const next = choose(model, done, until, without, parts)
    if (next === undefined) return undefined
    const made = await parts.errands.run({ model, weight, from: done, tensors, ...next })
    // It may have left the model early, as a whole or not at all.
    if (made === undefined || made.done <= done || made.done > until) return undefined
    by.add(next.device)
    ;[done, tensors] = [made.done, made.tensors]
  }
  return { tensors, by }
}

/**
 * Whom others set aside is asked all the same: else whoever is looked at could say who looks. Whom this device itself does
 * not believe is asked where nobody else has the block.
 */
const choose = (
  model: ModelId,
  from: number,
  until: number,
  without: ReadonlySet<DeviceId>,
  { view, chance }: RecomputeParts
): { readonly device: DeviceId; readonly until: number } | undefined => {
  const { world, selfIndex, distrust } = view
  const m = world.modelIndex(model)
  if (m === undefined) return undefined
  const isNear = (n: number): boolean => n === selfIndex || world.link(selfIndex, n)?.up === true
  const mayRun = (n: number, device: DeviceId, block: number): boolean =>
    view.isOfferedBy(device, model, block) && (n === selfIndex || !world.isPinned(m, block))
  const isBelieved = (device: DeviceId, block: number): boolean =>
    !distrust.isSetAsideHere(device, model) && !distrust.isRefusing(device, model, block)
  const reachOf = (n: number): { readonly device: DeviceId; readonly until: number } => {
    const { id: device } = world.devices[n]!
    let reach = from
    while (reach < until && mayRun(n, device, reach)) reach++
    return { device, until: reach }
  }
  const reaches = [...world.devices.keys()]
    .filter(n => !without.has(world.devices[n]!.id) && isNear(n))
    .map(reachOf)
    .filter(({ until: reach }) => reach > from)
  const believed = reaches.filter(({ device }) => isBelieved(device, from))
  const candidates = believed.length > 0 ? believed : reaches
  const furthest = Math.max(...candidates.map(({ until: reach }) => reach))
  const best = candidates.filter(({ until: reach }) => reach === furthest)
  return best[Math.floor(chance() * best.length)]
}
