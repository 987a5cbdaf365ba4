import type { DeviceId, ModelId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { SetAside } from '../cluster/distrust.ts'

/** Data that failed at a device and were computed by another one, within `MEMORY`, that set it aside. */
const THRESHOLD = 3
const MEMORY: Seconds = seconds(60)
/** Of one device. */
const MOST_SEEN = 100
/** For so long at first, twice as long each time that the try after it fails. */
const FIRST_REST: Seconds = seconds(10)
const LONGEST_REST: Seconds = seconds(300)
/** Of one that computes otherwise than others: nobody makes such results by mistake for a moment. */
const AUDITED_REST: Seconds = seconds(60)
/** Of one that takes data and returns none: longer than a planner that has it carry all alone is waited for. */
const SWALLOWED_REST: Seconds = seconds(30)

interface Contradiction {
  readonly at: Seconds
  /** Who accused it, or whom it accused: one of the two is to blame. */
  readonly other: DeviceId | undefined
}

interface Circuit {
  /** The last contradictions; none while it is open. */
  seen: readonly Contradiction[]
  rest: Seconds
  /** Undefined: closed, it never was open or has proved itself. */
  until: Seconds | undefined
  because: string
  /** Was opened for what it computes, last. */
  isAudited: boolean
  /** Was opened for what no new process mends, and has not proved itself since. */
  isCaught: boolean
}

/**
 * Failures that count against a device: those of data that others then computed. Closed, data go to it; after a few such
 * failures it is open, and they do not, where anybody else can compute them; after a while it is half-open, and they are
 * tried there again: the next such failure opens it at once, for twice as long; as long again without one closes it.
 * A datum that fails everywhere says nothing against anybody.
 */
export class CircuitBreaker {
  readonly #circuits = new Map<string, Circuit & { readonly device: DeviceId; readonly model: ModelId }>()

  /**
   * What failed at `device` was computed elsewhere.
   * @param other where that is but what one says of the other: such words count where two others are in them
   * @returns how it is set aside, where it is from now on
   */
  contradicted(
    device: DeviceId,
    model: ModelId,
    because: string,
    now: Seconds,
    other?: DeviceId
  ): SetAside | undefined {
    const circuit = this.#of(device, model, now)
    if (this.#isOpen(circuit, now)) return undefined // it was on its way there
    circuit.seen = [...circuit.seen.filter(({ at }) => now - at < MEMORY), { at: now, other }].slice(-MOST_SEEN)
    const count = countingOf(circuit.seen)
    const isNews = count.some(one => one === circuit.seen.at(-1))
    if (!isNews || (circuit.until === undefined && count.length < THRESHOLD)) return undefined
    circuit.because = because
    circuit.isAudited = false
    return this.#open(circuit, now)
  }

  /** The same datum fails there again and again, and there is no way to try it elsewhere but this. */
  suspect(device: DeviceId, model: ModelId, because: string, now: Seconds): SetAside | undefined {
    const circuit = this.#of(device, model, now)
    if (this.#isOpen(circuit, now)) return undefined
    circuit.because = because
    circuit.isAudited = false
    return this.#open(circuit, now)
  }

  /** It takes data and returns none. @returns as `contradicted` */
  swallows(device: DeviceId, model: ModelId, because: string, now: Seconds): SetAside | undefined {
    const circuit = this.#of(device, model, now)
    if (this.#isOpen(circuit, now)) return undefined
    circuit.isCaught = true
    circuit.rest = seconds(Math.max(circuit.rest, SWALLOWED_REST))
    return this.suspect(device, model, because, now)
  }

  /** What it computes is not what two others do. @returns as `contradicted` */
  deviates(device: DeviceId, model: ModelId, because: string, now: Seconds): SetAside | undefined {
    const circuit = this.#of(device, model, now)
    if (this.#isOpen(circuit, now) && circuit.isAudited) return undefined
    circuit.because = because
    circuit.isAudited = true
    circuit.isCaught = true
    circuit.rest = seconds(Math.max(circuit.rest, AUDITED_REST))
    return this.#open(circuit, now)
  }

  /** Whether its failures prove nothing: it has failed where others did not, and has not proved itself since. */
  isDiscredited(device: DeviceId, model: ModelId, now: Seconds): boolean {
    const circuit = this.#of(device, model, now)
    return circuit.until !== undefined || countingOf(circuit.seen).some(({ at }) => now - at < MEMORY)
  }

  /** Those that are open now. */
  setAside(now: Seconds): readonly SetAside[] {
    return [...this.#circuits.values()].flatMap(circuit =>
      circuit.until !== undefined && circuit.until > now ? [setAsideOf(circuit, circuit.until)] : []
    )
  }

  /** Another process has taken its place: it may not fail, but whoever was caught could be trusted anew by beginning anew. */
  restarted(device: DeviceId): void {
    for (const [key, circuit] of this.#circuits)
      if (circuit.device === device && !circuit.isCaught) this.#circuits.delete(key)
  }

  /** It is gone for good. */
  forget(device: DeviceId): void {
    for (const [key, circuit] of this.#circuits) if (circuit.device === device) this.#circuits.delete(key)
  }

  #isOpen({ until }: Circuit, now: Seconds): boolean {
    return until !== undefined && until > now
  }

  #open(circuit: Circuit & { readonly device: DeviceId; readonly model: ModelId }, now: Seconds): SetAside {
    if (circuit.until !== undefined) circuit.rest = seconds(Math.min(LONGEST_REST, 2 * circuit.rest))
    circuit.until = seconds(now + circuit.rest)
    circuit.seen = []
    return setAsideOf(circuit, circuit.until)
  }

  #of(device: DeviceId, model: ModelId, now: Seconds) {
    const key = `${device} ${model}`
    const known = this.#circuits.get(key)
    // Half-open for as long as it was open, and nothing happened.
    const isProved = known?.until !== undefined && now - known.until > known.rest
    const circuit =
      known === undefined || isProved
        ? {
            device,
            model,
            seen: [],
            rest: FIRST_REST,
            until: undefined,
            because: '',
            isAudited: false,
            isCaught: false
          }
        : known
    this.#circuits.set(key, circuit)
    return circuit
  }
}

/** What is but one other's word, or of one other, does not. */
const countingOf = (seen: readonly Contradiction[]): readonly Contradiction[] => {
  const others = new Set(seen.flatMap(({ other }) => other ?? []))
  return others.size >= 2 ? seen : seen.filter(({ other }) => other === undefined)
}

const setAsideOf = (
  { device, model, because, isAudited }: Circuit & { readonly device: DeviceId; readonly model: ModelId },
  until: Seconds
): SetAside => ({ device, model, until, because, ...(isAudited ? { isAudited } : {}) })
