import type { Clock } from '../../core/clock.ts'
import type { DeviceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { AwakeTime } from './awake-time.ts'

export interface LivenessParts {
  readonly clock: Clock
  /** A peer that is not heard for so long is taken for gone. */
  readonly suspectAfter: Seconds
  readonly onSilent: (peer: DeviceId, silence: Seconds) => void
  /** It was taken for gone, and speaks. */
  readonly onBack: (peer: DeviceId) => void
  /** It has been silent so long that its connections will not come back. */
  readonly onDead: (peer: DeviceId) => void
}

/** Looks per `suspectAfter`. */
const LOOKS = 12
/** A silent peer's connections are kept for so many times `suspectAfter`: it may only have been stopped. */
const PATIENCE = 20

/**
 * A peer that has been late lately is given so many times the longest it was silent (after phi-accrual, Hayashibara et al.
 * 2004: what counts is how unusual a silence is). What it was is forgotten by half in `HALF_LIFE`.
 */
const UNUSUAL = 2
const HALF_LIFE: Seconds = seconds(30)
/** A silence that was taken for a loss counts as no more than so many times `suspectAfter`: it may have been one. */
const LONGEST_GAP = 2
/** Who is late itself doubts its own ears (Lifeguard, Dadgar et al. 2017): so many times as patient at most. */
const MOST_LATE = 4
const LATENESS_GAIN = 0.1
/** Of `suspectAfter`, the share that a peer counts as silent which nobody asks. */
const UNASKED = 0.5

interface Ear {
  heard: Seconds
  /** The longest silence lately, as of when it was heard last. */
  gap: number
  silent: boolean
}

/**
 * Who speaks and who is silent, measured against the time during which we ourselves were awake to hear. Where processors
 * are short, everybody is late: suspicion follows the lateness of oneself and of the other, so that a cluster slows
 * down and does not fall apart.
 */
export class Liveness {
  readonly interval: Seconds
  readonly #parts: LivenessParts
  readonly #awake: AwakeTime
  readonly #ears = new Map<DeviceId, Ear>()
  /** How many times as long as it should the time between two looks is, on average. */
  #lateness = 1
  #looked: Seconds

  constructor(parts: LivenessParts) {
    this.#parts = parts
    this.interval = seconds(parts.suspectAfter / LOOKS)
    this.#awake = new AwakeTime(parts.clock, seconds(2 * this.interval))
    this.#looked = parts.clock.now()
  }

  /**
   * How many times as long as it should everything here takes just now, as far as the looks tell; from 1 to `MOST_LATE`.
   * What waits for somebody else's answer is as patient.
   */
  get lateness(): number {
    return this.#lateness
  }

  add(peer: DeviceId): void {
    this.#ears.set(peer, { heard: this.#awake.now(), gap: 0, silent: false })
  }

  /** @returns whether it was silent */
  remove(peer: DeviceId): boolean {
    const silent = this.isSilent(peer)
    this.#ears.delete(peer)
    return silent
  }

  isSilent(peer: DeviceId): boolean {
    return this.#ears.get(peer)?.silent ?? false
  }

  /** How long nothing was heard of a peer. */
  silence(peer: DeviceId): Seconds {
    const ear = this.#ears.get(peer)
    return seconds(ear === undefined ? 0 : this.#awake.now() - ear.heard)
  }

  /** Nobody asks it now, so that its silence says little; once it is asked it has the rest of the time to answer. */
  spare(peer: DeviceId): void {
    const ear = this.#ears.get(peer)
    if (ear === undefined || ear.silent) return
    ear.heard = seconds(Math.max(ear.heard, this.#awake.now() - UNASKED * this.#parts.suspectAfter))
  }

  heard(peer: DeviceId): void {
    const ear = this.#ears.get(peer)
    if (ear === undefined) return
    const now = this.#awake.now()
    const gap = now - ear.heard
    ear.gap = Math.min(Math.max(gap, faded(ear.gap, gap)), LONGEST_GAP * this.#parts.suspectAfter)
    ear.heard = now
    if (!ear.silent) return
    ear.silent = false
    this.#parts.onBack(peer)
  }

  /** To be called every `interval`. */
  look(): void {
    const now = this.#awake.now()
    const { suspectAfter, onSilent, onDead } = this.#parts
    this.#measureLateness()
    for (const [peer, ear] of [...this.#ears]) {
      const silence = seconds(now - ear.heard)
      const patience = Math.max(suspectAfter, UNUSUAL * faded(ear.gap, silence)) * this.#lateness
      if (!ear.silent && silence > patience) {
        ear.silent = true
        onSilent(peer, silence)
      } else if (ear.silent && silence > suspectAfter * PATIENCE) {
        onDead(peer)
      }
    }
  }

  /** A process that was stopped is not late, it was away: a gap counts as no more than the most that counts. */
  #measureLateness(): void {
    const now = this.#parts.clock.now()
    const late = Math.min(MOST_LATE, (now - this.#looked) / this.interval)
    this.#looked = now
    this.#lateness = Math.max(1, this.#lateness + LATENESS_GAIN * (late - this.#lateness))
  }
}

const faded = (gap: number, since: number): number => gap * 2 ** (-since / HALF_LIFE)
