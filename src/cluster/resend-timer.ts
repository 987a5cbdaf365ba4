import { type Seconds, seconds } from '../core/units.ts'

/** Nothing is sent again for a silence shorter than this. */
const LEAST: Seconds = seconds(10)
/** Nor what others have overtaken, where it is known how long they take. */
const LEAST_OVERTAKEN: Seconds = seconds(2)
/** Weights of a new sample in the mean and in the deviation, and deviations to wait beyond the mean: RFC 6298. */
const GAIN = 1 / 8
const DEVIATION_GAIN = 1 / 4
const USUAL_DEVIATIONS = 2
const DEVIATIONS = 4
/** Some ways are slow: so many times the longest that was seen lately. What is longest is forgotten by this much a sample. */
const LONGEST_TIMES = 1.5
const FORGETTING = 1 / 512
/** Doublings of the patience for one datum. */
const MOST_DOUBLINGS = 6
/** Data that may be under way a second time because they were late: at first, and at most. */
const FIRST_ALLOWANCE = 4
const MOST_ALLOWANCE = 64

interface Flight {
  /** By attempt, from 1. */
  readonly sentAt: (Seconds | undefined)[]
  attempt: number
  heardAt: Seconds
  /** How often it was sent again because nothing was heard. */
  timeouts: number
}

/**
 * When a datum of which nothing is heard is to be sent again, as TCP decides it for a segment: after the mean time to a
 * result plus four deviations (RFC 6298), twice as long each time. A result says which dispatch it belongs to, so that
 * those of data that were sent again are measured too (Karn's doubt does not arise). While results come in the order in which
 * data went out, what has not come merely waits: a datum is late only when later ones have overtaken it (RFC 8985), or when
 * nothing at all has come for that long (RFC 6298, 5.3). Never many at once: few may be under way again at a time, more when
 * that proves right, fewer when the first dispatch answers after all.
 *
 * Where nothing comes of anybody, one is sent again sooner than the others: it tells whether they are merely waiting.
 *
 * Losses that are known are none of its business. Pure; times are handed in.
 */
export class ResendTimer {
  readonly #flights = new Map<number, Flight>()
  #mean: number | undefined
  #deviation = 0
  #longest = 0
  #lastResultAt = Number.NEGATIVE_INFINITY
  /** When the youngest dispatch that has answered went out. */
  #youngestAnswered = Number.NEGATIVE_INFINITY
  #allowance = FIRST_ALLOWANCE

  /** Nearly all data took less of late; 0 while nothing was measured. */
  get usual(): Seconds {
    return seconds((this.#mean ?? 0) + USUAL_DEVIATIONS * this.#deviation)
  }

  sent(datum: number, attempt: number, now: Seconds): void {
    const known = this.#flights.get(datum)
    const flight = known ?? { sentAt: [], attempt, heardAt: now, timeouts: 0 }
    flight.sentAt[attempt] = now
    flight.attempt = attempt
    flight.heardAt = now
    this.#flights.set(datum, flight)
  }

  /** It moves, or is known to be somewhere. */
  heard(datum: number, now: Seconds): void {
    const flight = this.#flights.get(datum)
    if (flight !== undefined) flight.heardAt = now
  }

  /** @param attempt to which the result belongs @returns since that was sent; undefined: it is not known */
  result(datum: number, attempt: number, now: Seconds): Seconds | undefined {
    const flight = this.#flights.get(datum)
    if (flight === undefined) return undefined
    this.#flights.delete(datum)
    this.#lastResultAt = now
    const sentAt = flight.sentAt[attempt]
    if (sentAt === undefined) return undefined
    this.#youngestAnswered = Math.max(this.#youngestAnswered, sentAt)
    this.#measure(now - sentAt)
    if (flight.timeouts > 0) this.#judge(attempt === flight.attempt)
    return seconds(now - sentAt)
  }

  /** Whether what was sent again was lost indeed. */
  #judge(wasRight: boolean): void {
    this.#allowance = wasRight ? Math.min(MOST_ALLOWANCE, this.#allowance + 1) : Math.max(1, this.#allowance / 2)
  }

  /** It is waited for no longer; it would have taken longer than until now. */
  gaveUp(datum: number, now: Seconds): void {
    const flight = this.#flights.get(datum)
    if (flight === undefined) return
    this.#flights.delete(datum)
    this.#measure(now - flight.sentAt[flight.attempt]!)
  }

  /** It is done or given up. */
  forget(datum: number): void {
    this.#flights.delete(datum)
  }

  /**
   * Data that are late: each is to be sent again now.
   * @param expected how long a datum may take by what is known of the network: what counts for as long as nothing was measured, and
   * what is waited for of one that others have overtaken, up to ten seconds: it may be on a slow device
   * @param isHere it waits at home: whatever it waits for, it is not lost
   */
  overdue(now: Seconds, expected: Seconds, isHere: (datum: number) => boolean = () => false): readonly number[] {
    const patience = this.patience(expected)
    const overtaken = this.#afterOthers(expected)
    let room = Math.floor(this.#allowance) - this.#againUnderWay()
    const late: number[] = []
    for (const [datum, flight] of this.#flights) {
      // One that is under way again takes no more of it: else those that are swallowed twice would be with whom they are for ever.
      if (room <= 0 && flight.timeouts === 0) continue
      if (!this.#isLate(flight, patience, overtaken, now)) continue
      if (isHere(datum)) {
        flight.heardAt = now
        continue
      }
      flight.timeouts++
      flight.heardAt = now // counts from now on even if it cannot be sent at once
      if (flight.timeouts === 1) room--
      late.push(datum)
    }
    if (late.length > 0 || this.#againUnderWay() > 0) return late
    return this.#probe(this.#mean === undefined ? Math.max(LEAST_OVERTAKEN, expected) : overtaken, now, isHere)
  }

  /** Where nothing comes of anybody one is sent again early: if that comes, it has overtaken the others (RFC 8985, tail loss probe). */
  #probe(silence: number, now: Seconds, isHere: (datum: number) => boolean): readonly number[] {
    if (now - this.#lastResultAt <= silence) return []
    for (const [datum, flight] of this.#flights) {
      if (now - flight.heardAt <= silence || isHere(datum)) continue
      flight.timeouts++
      flight.heardAt = now
      return [datum]
    }
    return []
  }

  /** Silence that is no reason to worry yet. */
  patience(expected: Seconds): Seconds {
    if (this.#mean === undefined) return seconds(Math.max(LEAST, expected))
    return seconds(Math.max(LEAST, this.#measured))
  }

  /** Likewise of a datum while others come that went out later. */
  #afterOthers(expected: Seconds): Seconds {
    return seconds(Math.max(this.#measured, Math.min(LEAST, Math.max(LEAST_OVERTAKEN, expected))))
  }

  get #measured(): number {
    return Math.max((this.#mean ?? 0) + DEVIATIONS * this.#deviation, LONGEST_TIMES * this.#longest)
  }

  #isLate({ heardAt, timeouts }: Flight, patience: Seconds, overtaken: Seconds, now: Seconds): boolean {
    const more = 2 ** Math.min(timeouts, MOST_DOUBLINGS)
    const silence = now - heardAt
    if (heardAt < this.#youngestAnswered && silence > overtaken * more) return true
    return silence > patience * more && now - this.#lastResultAt > patience * more
  }

  #againUnderWay(): number {
    let count = 0
    for (const { timeouts } of this.#flights.values()) if (timeouts > 0) count++
    return count
  }

  #measure(took: number): void {
    if (this.#mean === undefined) {
      this.#mean = took
      this.#deviation = took / 2
    } else {
      this.#deviation += DEVIATION_GAIN * (Math.abs(took - this.#mean) - this.#deviation)
      this.#mean += GAIN * (took - this.#mean)
    }
    this.#longest = Math.max(took, this.#longest * (1 - FORGETTING))
  }
}
