import { RATE_LEARNING } from '../../core/rate-learning.ts'
import { type Bytes, bytes, bytesPerSecond, type Seconds, seconds } from '../../core/units.ts'
import type { LinkMeasure } from './network.ts'

/** Smaller frames measure the timers and the event loop, not the link. */
const MEASURABLE: Bytes = bytes(32 * 1024)
/**
 * Sizes of the frames of a probe. The smaller one opens the stream and warms the way; it is too small to be measured itself.
 */
export const PROBE: readonly number[] = [MEASURABLE / 2, MEASURABLE * 2]
const PROBE_BYTES = PROBE.reduce((sum, size) => sum + size, 0)
const { weight: WEIGHT, slower: SLOWER, old: OLD } = RATE_LEARNING
/** Small frames in a row that came so much later than they should: the link may have become slow. */
const LATE_FRAMES = 3
const LATE: Seconds = seconds(0.01)
/** Least time between two measures for their sake. */
const LATE_PAUSE: Seconds = seconds(1)
/** The least of so many round trips: what is more was waiting in somebody's event loop. */
const ROUND_TRIPS = 16
/** What is handed to the connection at once: less costs more than it saves, more keeps the receiver idle meanwhile. */
const LEAST_CHUNK = 1 << 16
const LARGEST_CHUNK = 1 << 18
/** No link here is faster, 20 GB/s; keeps a rate finite when an answer seems to come at once. */
const LEAST_SECONDS_PER_BYTE = 1 / 20e9

/**
 * Rate and latency of the directed link to one peer, from real frames and their answers.
 *
 * Frames that follow each other closely are answered one service time apart; a frame on an idle link is answered its
 * service time and one round trip after it started. So a frame's service time is what passed since the later of
 * (the previous answer) and (its own start plus a round trip). Seconds per byte are averaged, not bytes per second:
 * the time that the next frame will take is what is asked for.
 */
export class LinkMeter {
  readonly #roundTrips: number[] = []
  #secondsPerByte: number | undefined
  #samples = 0
  /** The least of this link so far, and when it was last measured. */
  #best = Number.POSITIVE_INFINITY
  /** Small frames in a row that were late. */
  #late = 0
  #measuredAt: Seconds = seconds(0)
  #lastAnswer: Seconds = seconds(Number.NEGATIVE_INFINITY)
  #sent = 0
  #busy = 0

  pong(roundTrip: Seconds): void {
    this.#roundTrips.push(roundTrip)
    if (this.#roundTrips.length > ROUND_TRIPS) this.#roundTrips.shift()
  }

  /** A frame of `size` bytes began to leave at `started` and was answered at `answered`. */
  answered(size: number, started: Seconds, answered: Seconds): void {
    const idle = started + this.#roundTrip()
    const took = answered - Math.max(idle, this.#lastAnswer)
    this.#lastAnswer = answered
    if (size < MEASURABLE) {
      this.#late = took > SLOWER * size * (this.#secondsPerByte ?? Number.POSITIVE_INFINITY) + LATE ? this.#late + 1 : 0
      return
    }
    const sample = Math.max(LEAST_SECONDS_PER_BYTE, took / size)
    this.#samples++
    const weight = Math.max(WEIGHT, 1 / this.#samples) // the first few count alike
    this.#secondsPerByte = (this.#secondsPerByte ?? sample) * (1 - weight) + sample * weight
    this.#best = Math.min(this.#best, this.#secondsPerByte)
    this.#measuredAt = answered
  }

  /**
   * Whether the link should be measured again: frames that are too small to measure it come later than they should, or
   * it is taken to be much slower than it once was, on old evidence (who is avoided for being slow shows nobody that it no
   * longer is). A probe takes no more than 2 % of the link's time, as far as that is known.
   */
  isDoubtful(now: Seconds): boolean {
    const believed = this.#secondsPerByte
    if (believed === undefined) return false
    const pause =
      this.#late >= LATE_FRAMES ? LATE_PAUSE : believed >= SLOWER * this.#best ? OLD : Number.POSITIVE_INFINITY
    return now - this.#measuredAt > Math.max(pause, 50 * PROBE_BYTES * believed)
  }

  /** Forget how many samples the average is of: the next one counts for itself. */
  doubt(now: Seconds): void {
    this.#samples = 0
    this.#late = 0
    this.#measuredAt = now
  }

  /** An emulated link was taken for so long. */
  taken(time: Seconds): void {
    this.#busy += time
  }

  sent(size: number): void {
    this.#sent += size
  }

  /** How much to hand to the connection at once so that a notice waits no longer than about 5 ms behind it. */
  chunk(): number {
    const rate = this.#secondsPerByte === undefined ? 0 : 1 / this.#secondsPerByte
    return Math.min(LARGEST_CHUNK, Math.max(LEAST_CHUNK, Math.round(rate * 0.005)))
  }

  /** Undefined until both a round trip and a transfer were measured. */
  measure(emulated: boolean): LinkMeasure | undefined {
    if (this.#secondsPerByte === undefined || this.#roundTrips.length === 0) return undefined
    return {
      rate: bytesPerSecond(1 / this.#secondsPerByte),
      latency: seconds(this.#roundTrip() / 2),
      bytesSent: bytes(this.#sent),
      busySeconds: seconds(this.#busy),
      emulated
    }
  }

  #roundTrip(): number {
    return this.#roundTrips.length === 0 ? 0 : Math.min(...this.#roundTrips)
  }
}
