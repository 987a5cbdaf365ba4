import type { DeviceId, ModelId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { Step } from '../../scheduler/policy.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import type { SetAside } from '../cluster/distrust.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import { type BlockFailure, isProven } from './is-proven.ts'

export interface AppealsParts {
  readonly view: ClusterView
  readonly breaker: CircuitBreaker
}

export type Verdict =
  | { readonly kind: 'again'; readonly after: Seconds; readonly setAside: SetAside | undefined }
  | { readonly kind: 'givenUp'; readonly cause: string }

const FIRST_PAUSE: Seconds = seconds(0.25)
const LONGEST_PAUSE: Seconds = seconds(5)

interface Case {
  readonly failures: BlockFailure[]
  /** Where it was sent to be computed as a whole, by this source and not by the policy. */
  sentTo: DeviceId | undefined
}

/**
 * Data of one source that failed somewhere. Each is tried again on another device, as a whole where one carries the whole
 * model, home first: if it succeeds, the failure was the device's; if it fails on different devices, or at home where there is
 * nobody else, it was the datum's, and it is given up.
 */
export class Appeals {
  readonly #parts: AppealsParts
  readonly #cases = new Map<number, Case>()

  constructor(parts: AppealsParts) {
    this.#parts = parts
  }

  failed(datum: number, model: ModelId, failure: BlockFailure, now: Seconds): Verdict {
    const { view, breaker } = this.#parts
    const known = this.#cases.get(datum) ?? { failures: [], sentTo: undefined }
    this.#cases.set(datum, known)
    known.failures.push(failure)
    const { failures } = known
    const jury = {
      home: view.self,
      isDiscredited: (device: DeviceId) => breaker.isDiscredited(device, model, now),
      isThereAnother: (block: number, than: ReadonlySet<DeviceId>) =>
        view.world.devices.some(({ id }) => !than.has(id) && view.isOfferedBy(id, model, block))
    }
    if (isProven(failures, jury)) return { kind: 'givenUp', cause: failure.because }
    const here = failures.filter(({ device }) => device === failure.device).length
    // Others carry parts of the model only: the policy must be kept from choosing this one.
    const hasNoOtherWay =
      here > 1 &&
      this.#elsewhere(model, failures) === undefined &&
      jury.isThereAnother(failure.block, new Set(failures.map(({ device }) => device)))
    return {
      kind: 'again',
      after: seconds(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures.length - 1))),
      setAside: hasNoOtherWay ? breaker.suspect(failure.device, model, failure.because, now) : undefined
    }
  }

  /** The way of a datum that is sent out again; undefined where the policy is to choose it. */
  way(datum: number, model: ModelId): readonly Step[] | undefined {
    const known = this.#cases.get(datum)
    if (known === undefined) return undefined
    const device = this.#elsewhere(model, known.failures)
    known.sentTo = device === undefined ? undefined : this.#parts.view.world.devices[device]!.id
    if (device === undefined) return undefined
    return [{ device, until: this.#parts.view.manifest(model)!.blocks.length }]
  }

  /** Its result has come. @param holders who had it in its last dispatch @returns devices that are set aside from now on */
  computed(datum: number, model: ModelId, holders: ReadonlySet<DeviceId>, now: Seconds): readonly SetAside[] {
    const known = this.#cases.get(datum)
    if (known === undefined) return []
    this.#cases.delete(datum)
    const { failures, sentTo } = known
    const wasElsewhere = ({ device }: BlockFailure): boolean =>
      sentTo === undefined ? !holders.has(device) : sentTo !== device
    const whys = new Map(failures.filter(wasElsewhere).map(({ device, because }) => [device, because]))
    return [...whys].flatMap(([device, because]) => {
      const setAside = this.#parts.breaker.contradicted(device, model, because, now)
      return setAside === undefined ? [] : [setAside]
    })
  }

  forget(datum: number): void {
    this.#cases.delete(datum)
  }

  /** A device that can be reached at once, carries the whole model and has not failed; this one first. */
  #elsewhere(model: ModelId, failures: readonly BlockFailure[]): number | undefined {
    const { world, selfIndex } = this.#parts.view
    const m = world.modelIndex(model)
    if (m === undefined) return undefined
    const failed = new Set(failures.map(({ device }) => device))
    const candidates = [selfIndex, ...world.links[selfIndex]!.filter(({ up }) => up).map(({ to }) => to)]
    return candidates.find(n => !failed.has(world.devices[n]!.id) && world.carriesAll(n, m))
  }
}
