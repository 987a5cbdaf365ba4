import type { AdmissionTerms } from '../core/admission-terms.ts'
import { type Seconds, seconds } from '../core/units.ts'
import { LARGEST_AUTO } from '../core/window.ts'

/** Data under way before anything is known: enough to find other paths than the first. */
const FIRST = 16
/** Of data that cannot wait: what the first ones wait for each other makes them late. */
const FIRST_URGENT = 2
/** Beside the data that are served at once: so many wait, and so many for each of those. */
const WAITING = 2
const WAITING_EACH = 1.2
/** Where the newest are wanted, one that waits is one that grows old. */
const FRESH = { waiting: 1, waitingEach: 0.5 }
/** Of a deadline: times differ, and nearly all of the data are to be in time. */
const IN_TIME = 0.5
/** Results that count: those of so many windows, and at least so many; fewer while the window grows for the first time. */
const MEMORY = { windows: 8, least: 64 }
const FIRST_MEMORY = { windows: 1, least: 4 }

/** Of a datum whose result has come home. */
export interface Flight {
  /** Since its source sent it. */
  readonly took: Seconds
  /** Of that, blocks ran and activations travelled; the rest it waited. */
  readonly served: Seconds
  /** Data of its source, with it. */
  readonly underWay: number
}

/**
 * How many data of a saturated source should be under way: the least window that keeps its throughput. Up to the knee, more data
 * under way are more that are served at once; beyond it they only wait. So a window is kept of those that are served at
 * once, and of as many that wait as keep the busiest device busy, however unevenly data come to it:
 *
 *   N = time served / time that passed = mean of served x underWay / took (Little)
 *   window = N + WAITING + WAITING_EACH x N
 *
 * N does not depend on the window beyond the knee, so nothing swings; at a small window nearly all data are served, and it grows by most
 * of itself from one round to the next. As in TCP Vegas a number that waits is held, and not a time: of two sources that meet in one
 * queue, the one with more data there has a larger part of what waits than it wants, and gives way. With a deadline, no
 * more are under way than are done in half of it.
 */
export class AutoWindow {
  readonly #deadline: number
  readonly #waiting: number
  readonly #waitingEach: number
  #window: number
  #isStarting = true
  /** Sums over the results that count, the older the less. */
  #results = 0
  #served = 0
  #passed = 0

  /**
   * @param terms.deadline of its data, from when they are available. Default: none
   * @param terms.drop `oldest`: the newest are wanted. Default: none
   */
  constructor({ deadline = seconds(Number.POSITIVE_INFINITY), drop = 'none' }: Partial<AdmissionTerms> = {}) {
    const isFresh = drop === 'oldest'
    const { waiting, waitingEach } = isFresh ? FRESH : { waiting: WAITING, waitingEach: WAITING_EACH }
    this.#deadline = deadline
    this.#waiting = waiting
    this.#waitingEach = waitingEach
    this.#window = isFresh || deadline < Number.POSITIVE_INFINITY ? FIRST_URGENT : FIRST
  }

  /** Whole data. @param stretch so many times what was found */
  size(stretch = 1): number {
    return Math.round(Math.max(1, Math.min(this.#most, stretch * this.#window)))
  }

  /** With a deadline, what is done in a part of it. */
  get #most(): number {
    if (this.#passed === 0) return LARGEST_AUTO
    return Math.min(LARGEST_AUTO, IN_TIME * this.#deadline * (this.#results / this.#passed))
  }

  /** A result came home, while the network was slower than the source: otherwise it says nothing about the network. */
  completed({ took, served, underWay }: Flight): void {
    if (took <= 0) return
    const { windows, least } = this.#isStarting ? FIRST_MEMORY : MEMORY
    const keep = 1 - 1 / Math.max(least, windows * this.#window)
    this.#results = keep * this.#results + 1
    this.#served = keep * this.#served + Math.min(served, took)
    this.#passed = keep * this.#passed + took / underWay
    const atOnce = this.#served / this.#passed
    const wanted = Math.max(1, Math.min(this.#most, this.#waiting + (1 + this.#waitingEach) * atOnce))
    if (wanted < this.#window) this.#isStarting = false
    this.#window += (wanted - this.#window) / this.#window
  }
}
