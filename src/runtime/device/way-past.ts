import { cheapestPath } from '../../core/cheapest-path.ts'
import type { DeviceId, ModelId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import type { Step } from '../../scheduler/policy.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'

/** Dearer than any way around it, also around those that may compute where nobody else does. */
const AVOIDED = 1e12
const SPARED = 1e6

export interface Reluctance {
  /** Who is to have nothing to do with it. */
  readonly isAvoided: (device: DeviceId) => boolean
  /** Who is to compute what only it and those avoided can. */
  readonly isSpared: (device: DeviceId) => boolean
  /** How many data a device has that would be before it. */
  readonly dataWith: (device: DeviceId) => number
}

/**
 * The quickest way of a datum from here through its model, past some devices; each is the dearer the more it has.
 * @returns undefined where there is none
 */
export const wayPast = (
  { world, selfIndex }: Pick<ClusterView, 'world' | 'selfIndex'>,
  modelId: ModelId,
  { isAvoided, isSpared, dataWith }: Reluctance
): readonly Step[] | undefined => {
  const model = world.modelIndex(modelId)
  if (model === undefined) return undefined
  const ahead = new Map(world.devices.map(({ resource, id }) => [resource, dataWith(id)]))
  const prices = world.devices.map(({ id }) => (isAvoided(id) ? AVOIDED : isSpared(id) ? SPARED : 0))
  const path = cheapestPath({
    ...{ world, model, from: selfIndex, done: 0, home: selfIndex, latencyPrice: seconds(1), atMost: AVOIDED },
    blockPrice: device => prices[device]!,
    linkPrice: ({ to }) => (prices[to] === AVOIDED ? AVOIDED : 0),
    price: resource => 1 + (ahead.get(resource) ?? 0)
  })
  return 'steps' in path && path.cost < AVOIDED ? path.steps : undefined
}
