type Direction = 'up' | 'down'

/** Larger steps find more of what lies beyond a level stretch of throughput, smaller ones cost less of it. */
const STEP: Readonly<Record<Direction, number>> = { up: 1.5, down: 0.8 }
/** It is kept where the rate is so many times what it was. */
const ENOUGH: Readonly<Record<Direction, number>> = { up: 1.03, down: 0.985 }
/** A trial downwards that serves less than this is over before its time. */
const HOPELESS = 0.95
/** Measures until the same is tried again, each time it fails: so many times as many. */
const PAUSE = { first: 1, times: 3, most: 64 }
/** Of what sources find by themselves. */
export const STRETCHES = { least: 0.5, most: 16 } as const
/** The rate at rest is off by more than this: the network is another. */
const CHANGED = 0.07
/** Of the newest measure in the mean of those at one stretch. */
const NEWEST = 0.5

/**
 * Which stretch of their windows serves most, found by trying: now and then a larger one, kept where more is served, and a smaller one,
 * kept where as much is. What fails is tried again more and more seldom. Only rates are compared, so that nothing changes
 * where everything is twice as fast.
 */
export class StretchTrials {
  #kept = 1
  #trial: Direction | undefined
  /** At the stretch that is kept; undefined: not measured yet. */
  #rate: number | undefined
  /** Measures to go until it is tried, and how many were waited for last. */
  #pauses = { up: { left: PAUSE.first, last: PAUSE.first }, down: { left: PAUSE.first, last: PAUSE.first } }

  /** @param kept what the windows have been stretched by so far */
  constructor(kept = 1) {
    this.#kept = kept
  }

  /** What windows are to be multiplied by now. */
  get stretch(): number {
    return this.#trial === undefined ? this.#kept : this.#kept * STEP[this.#trial]
  }

  /** So many results a second so far, at the stretch of now: it need not be measured any longer. */
  isHopeless(rate: number): boolean {
    return this.#trial === 'down' && rate < HOPELESS * this.#rate!
  }

  /** So many results a second, at the stretch of now. */
  measured(rate: number): void {
    if (this.#trial === undefined) this.#rested(rate)
    else if (rate >= ENOUGH[this.#trial] * this.#rate!) this.#succeeded(this.#trial, rate)
    else this.#failed(this.#trial)
  }

  #rested(rate: number): void {
    if (this.#rate === undefined || Math.abs(rate / this.#rate - 1) > CHANGED) this.#beginAnew(rate)
    else this.#rate += NEWEST * (rate - this.#rate)
    this.#pauses.up.left--
    this.#pauses.down.left--
    this.#trial = this.#mayTry('up') ? 'up' : this.#mayTry('down') ? 'down' : undefined
  }

  /** What was tried before was tried on another network. */
  #beginAnew(rate: number): void {
    this.#rate = rate
    this.#pauses.up = { left: PAUSE.first, last: PAUSE.first }
    this.#pauses.down = { left: PAUSE.first, last: PAUSE.first }
  }

  #succeeded(direction: Direction, rate: number): void {
    this.#kept = this.stretch
    this.#rate = Math.max(rate, this.#rate!)
    const back = direction === 'up' ? this.#pauses.down : this.#pauses.up
    this.#pauses[direction] = { left: 0, last: PAUSE.first }
    back.left = Math.max(back.left, back.last)
    this.#trial = this.#mayTry(direction) ? direction : undefined
  }

  #failed(direction: Direction): void {
    const last = Math.min(PAUSE.most, PAUSE.times * this.#pauses[direction].last)
    this.#pauses[direction] = { left: last, last }
    this.#trial = undefined
  }

  #mayTry(direction: Direction): boolean {
    const next = this.#kept * STEP[direction]
    const isWithin = direction === 'up' ? next <= STRETCHES.most : next >= STRETCHES.least
    return isWithin && this.#pauses[direction].left <= 0
  }
}
