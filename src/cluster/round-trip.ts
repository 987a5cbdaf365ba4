import type { Seconds } from '../core/units.ts'

/** The least of so many round trips: what is more was waiting in somebody's event loop. */
const KEPT = 16
/** From so much more than the least on, a round trip says that the latency has risen, or that the ping had to wait. */
const LATER = { times: 1.25, by: 0.005 }
/** It has risen when so many in a row say so, and differ by no more than this part of the rise. */
const AGREEING = 3
const ALIKE = 0.25

const isLater = (one: number, other: number): boolean => one > LATER.times * other + LATER.by

/**
 * What a round trip says of the time that was believed until then: that it holds, that it is another now, or neither (it
 * may have become more, or the ping had to wait).
 */
export type Verdict = 'same' | 'changed' | 'open'

/** The time of a ping to a peer and back when nothing is in its way. */
export class RoundTrip {
  #kept: readonly number[] = []
  /** The latest in a row that say it has risen. */
  #later: readonly number[] = []

  /** Seconds; 0 before the first. */
  get time(): number {
    return this.isKnown ? Math.min(...this.#kept) : 0
  }

  get isKnown(): boolean {
    return this.#kept.length > 0
  }

  /** Seconds, of the last one if that says the time has risen. */
  get disputedBy(): number | undefined {
    return this.#later.at(-1)
  }

  /** @param alone whether no frames of ours were in its way: one that was behind them proves no change */
  add(roundTrip: Seconds, alone: boolean): Verdict {
    const { isKnown, time: before } = this
    this.#kept = [...this.#kept, roundTrip].slice(-KEPT)
    if (isKnown && isLater(roundTrip, before)) return alone ? this.#dispute(roundTrip, before) : 'open'
    this.#later = []
    return isKnown && alone && isLater(before, roundTrip) ? 'changed' : 'same'
  }

  #dispute(roundTrip: number, before: number): Verdict {
    this.#later = [...this.#later, roundTrip].slice(-AGREEING)
    const least = Math.min(...this.#later)
    if (this.#later.length < AGREEING || Math.max(...this.#later) - least > ALIKE * (least - before)) return 'open'
    this.#kept = this.#later
    this.#later = []
    return 'changed'
  }
}
