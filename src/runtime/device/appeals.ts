import { cheapestPath } from '../../core/cheapest-path.ts'
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

/** So long after its first failure a datum waits for devices that may come to carry its block: longer than loading it takes. */
const WAITS: Seconds = seconds(30)
/** And after so long it is given up, whoever is to blame: whatever waits for it is to end. */
const LONGEST: Seconds = seconds(300)

/** What a device has done of a model, as far as this source has seen. */
interface Conduct {
  computedAt: Seconds
  /** Of all data that it has failed at since: the first. */
  firstFailed: number | undefined
  /** Others too. */
  hasFailedMore: boolean
}

interface Case {
  readonly since: Seconds
  readonly failures: BlockFailure[]
  /** The way that it was sent, chosen by this source and not by the policy. */
  way: readonly Step[] | undefined
}

/**
 * A block on a device that failed it is dearer than any way around it, and other blocks there than any way around them. Of what one alone says
 * of another one of the two is wrong: the block is as dear there, and whoever says so is dearer.
 */
const FAILED_THERE = 1e12
const ACCUSES = 2e6
const FAILED_NEARBY = 1e6

/**
 * Data of one source that failed somewhere. Each is tried again on another device, as a whole where one carries the whole
 * model, home first, else that block on one that has not tried it: if it succeeds, the failure was the device's; if it fails
 * on all of them, or at home where there is nobody else, it was the datum's, and it is given up. Likewise where one device
 * alone has the block and fails at this datum only; where it fails at all of them, they wait for it to be mended, for so long.
 */
export class Appeals {
  readonly #parts: AppealsParts
  readonly #cases = new Map<number, Case>()
  readonly #conduct = new Map<string, Conduct>()

  constructor(parts: AppealsParts) {
    this.#parts = parts
  }

  failed(datum: number, model: ModelId, told: BlockFailure, now: Seconds): Verdict {
    const { view, breaker } = this.#parts
    const failure = this.#known(told)
    const known = this.#cases.get(datum) ?? { since: now, failures: [], way: undefined }
    this.#cases.set(datum, known)
    known.failures.push(failure)
    if (failure.accuser === undefined) this.#failedAt(datum, model, failure.device)
    const { failures } = known
    const failed = new Set(failures.map(({ device }) => device))
    const jury = {
      home: view.self,
      isDiscredited: (device: DeviceId) => breaker.isDiscredited(device, model, now),
      carriers: (block: number) => this.#carriers(model, block),
      mayOthersCome: now - known.since < WAITS && view.world.known().some(({ id }) => !failed.has(id)),
      failsAtThisOnly: (device: DeviceId) => this.#failsOnlyAt(datum, model, device, known.since),
      isTooLong: now - known.since >= LONGEST
    }
    if (isProven(failures, jury)) return { kind: 'givenUp', cause: failure.because }
    // It came back to one that had failed it: the policy must be kept from choosing that one while somebody is left to try it.
    const hasNoOtherWay =
      failure.accuser === undefined &&
      failures.filter(({ device }) => device === failure.device).length > 1 &&
      this.#way(model, failures) === undefined &&
      jury.carriers(failure.block).some(device => !failed.has(device))
    return {
      kind: 'again',
      after: seconds(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures.length - 1))),
      setAside: hasNoOtherWay ? breaker.suspect(failure.device, model, failure.because, now) : undefined
    }
  }

  /** That this device has failed it knows better than others: who says so has failed itself. */
  #known(told: BlockFailure): BlockFailure {
    const { device, accuser, block, because } = told
    return accuser === undefined || device !== this.#parts.view.self ? told : { device: accuser, block, because }
  }

  /** The way of a datum that is sent out again; undefined where the policy is to choose it. */
  way(datum: number, model: ModelId): readonly Step[] | undefined {
    const known = this.#cases.get(datum)
    if (known === undefined) return undefined
    known.way = this.#way(model, known.failures)
    return known.way
  }

  /** Its result has come. @param holders who had it in its last dispatch @returns devices that are set aside from now on */
  computed(datum: number, model: ModelId, holders: ReadonlySet<DeviceId>, now: Seconds): readonly SetAside[] {
    for (const device of holders)
      this.#conduct.set(conductKey(device, model), { computedAt: now, firstFailed: undefined, hasFailedMore: false })
    const known = this.#cases.get(datum)
    if (known === undefined) return []
    this.#cases.delete(datum)
    const { failures, way } = known
    const wasElsewhere = ({ device, block }: BlockFailure): boolean => {
      const chosen = way === undefined ? undefined : this.#whoRuns(way, block)
      return chosen === undefined
        ? !holders.has(device)
        : chosen !== device && (way!.length === 1 || holders.has(chosen))
    }
    const [seen, told] = partition(failures.filter(wasElsewhere))
    const whys = new Map(seen.map(({ device, because }) => [device, because]))
    const contradicted = [...whys].map(([device, because]) => ({ device, because, other: undefined }))
    return [...contradicted, ...told].flatMap(({ device, because, other }) => {
      const setAside = this.#parts.breaker.contradicted(device, model, because, now, other)
      return setAside === undefined ? [] : [setAside]
    })
  }

  forget(datum: number): void {
    this.#cases.delete(datum)
  }

  #failedAt(datum: number, model: ModelId, device: DeviceId): void {
    const key = conductKey(device, model)
    const known = this.#conduct.get(key)
    const never = seconds(Number.NEGATIVE_INFINITY)
    const conduct = known ?? { computedAt: never, firstFailed: undefined, hasFailedMore: false }
    this.#conduct.set(key, conduct)
    conduct.firstFailed ??= datum
    if (conduct.firstFailed !== datum) conduct.hasFailedMore = true
  }

  #failsOnlyAt(datum: number, model: ModelId, device: DeviceId, since: Seconds): boolean {
    const conduct = this.#conduct.get(conductKey(device, model))
    if (conduct === undefined) return false
    return conduct.computedAt > since || (conduct.firstFailed === datum && !conduct.hasFailedMore)
  }

  /** Past the devices that failed it; undefined where there is no such way. */
  #way(model: ModelId, failures: readonly BlockFailure[]): readonly Step[] | undefined {
    const { world } = this.#parts.view
    const m = world.modelIndex(model)
    if (m === undefined) return undefined
    const whole = this.#elsewhere(m, failures)
    if (whole !== undefined) return [{ device: whole, until: world.models[m]!.work.length }]
    return this.#wayInParts(m, failures)
  }

  /** A device that can be reached at once, carries the whole model, and neither has failed nor says that another has; this one first. */
  #elsewhere(m: number, failures: readonly BlockFailure[]): number | undefined {
    const { world, selfIndex } = this.#parts.view
    const failed = new Set(failures.flatMap(({ device, accuser = device }) => [device, accuser]))
    const candidates = [selfIndex, ...world.links[selfIndex]!.filter(({ up }) => up).map(({ to }) => to)]
    // A pinned first block runs here and nowhere else, whoever carries it.
    const mayRunAll = (n: number): boolean => world.carriesAll(n, m) && world.mayRun(n, m, 0, selfIndex)
    return candidates.find(n => !failed.has(world.devices[n]!.id) && mayRunAll(n))
  }

  /** The quickest on which no device gets a block that it has failed, and those that failed any get as few as can be. */
  #wayInParts(model: number, failures: readonly BlockFailure[]): readonly Step[] | undefined {
    const { world, selfIndex: from } = this.#parts.view
    const priceOf = ({ device, block, accuser }: BlockFailure, at: DeviceId, k: number): number => {
      if (at === accuser) return ACCUSES
      if (at !== device) return 0
      const witnesses = new Set(
        failures.flatMap(one => (one.device === at && one.block === block ? [one.accuser] : []))
      )
      const isSure = accuser === undefined || witnesses.size > 1
      return block === k && isSure ? FAILED_THERE : FAILED_NEARBY
    }
    const blockPrice = (n: number, k: number): number =>
      Math.max(0, ...failures.map(failure => priceOf(failure, world.devices[n]!.id, k)))
    const path = cheapestPath({
      ...{ world, model, from, done: 0, home: from, blockPrice, atMost: FAILED_THERE },
      price: () => 1,
      latencyPrice: seconds(1)
    })
    return 'steps' in path && path.cost < FAILED_THERE ? path.steps : undefined
  }

  #whoRuns(way: readonly Step[], block: number): DeviceId | undefined {
    const step = way.find(({ until }) => until > block)
    return step === undefined ? undefined : this.#parts.view.world.devices[step.device]!.id
  }

  /** Who says that it has the block, and can be reached from here, directly or over others. */
  #carriers(model: ModelId, block: number): readonly DeviceId[] {
    const { view } = this.#parts
    const { world, selfIndex } = view
    const reached = new Set([selfIndex])
    for (const n of reached)
      if (n === selfIndex || world.devices[n]!.relays) for (const { to, up } of world.links[n]!) if (up) reached.add(to)
    const m = world.modelIndex(model)
    const isPinned = m !== undefined && world.isPinned(m, block)
    return [...reached]
      .filter(n => !isPinned || n === selfIndex)
      .map(n => world.devices[n]!.id)
      .filter(device => view.isOfferedBy(device, model, block))
  }
}

/** Of what one says of another, one of the two is to blame: that counts against each, with the other's name. */
const partition = (failures: readonly BlockFailure[]) => {
  const told = failures.flatMap(({ device, accuser, because }) =>
    accuser === undefined
      ? []
      : [
          { device, because, other: accuser },
          { device: accuser, because, other: device }
        ]
  )
  const pairs = new Map(told.map(one => [`${one.device} ${one.other}`, one]))
  return [failures.filter(({ accuser }) => accuser === undefined), [...pairs.values()]] as const
}

const conductKey = (device: DeviceId, model: ModelId): string => `${device} ${model}`
