import {
  doubtRate,
  isRateDoubtful,
  type LearntRate,
  learnRate,
  MEASURABLE,
  NOTHING_LEARNT,
  SLOWER
} from '../../cluster/learnt-rate.ts'
import { RoundTrip } from '../../cluster/round-trip.ts'
import { bytes, bytesPerSecond, type Seconds, seconds } from '../../core/units.ts'
import type { LinkMeasure } from '../ports/network.ts'

/** Small frames in a row that came so much later than they should: the link may have become slow. */
const LATE_FRAMES = 3
const LATE: Seconds = seconds(0.01)
/** What is handed to the connection at once: less costs more than it saves, more keeps the receiver idle meanwhile. */
const LEAST_CHUNK = 1 << 16
const LARGEST_CHUNK = 1 << 18
/** No link here is faster, 20 GB/s; keeps a rate finite when an answer seems to come at once. */
const LEAST_SECONDS_PER_BYTE = 1 / 20e9
/**
 * What a link to another process of this machine may be believed, in bytes per second: what is measured of it beyond that is how late
 * the two processes were, which changes a hundred thousand times as much as the link, and is no reason to place blocks elsewhere.
 */
const LOOPBACK = { least: 1e8, most: 1e9 }

/** As many frames as wait to be believed; of more, the newest. */
const HELD = 16

interface TimedFrame {
  readonly size: number
  /** Seconds that the link spent on it, if the round trip is as believed. */
  readonly took: number
  readonly answered: Seconds
}

/**
 * Rate and latency of the directed link to one peer, from real frames and their answers.
 *
 * Frames that follow each other closely are answered one service time apart; a frame on an idle link is answered its
 * service time and one round trip after it started. So a frame's service time is what passed since the later of
 * (the previous answer) and (its own start plus a round trip).
 *
 * A change of the latency is not one of the rate: while the last ping disputes the round trip that is believed, frames
 * on an idle link wait for the next to say what they measured, and when it has changed, those since the last ping that
 * fitted are forgotten.
 *
 * Of a shaped link it is known how long it was taken for a frame (docs/decisions/0007).
 */
export class LinkMeter {
  readonly #roundTrip = new RoundTrip()
  #learnt: LearntRate = NOTHING_LEARNT
  /** As it was when the last ping came that took as long as was believed. */
  #sure: LearntRate = NOTHING_LEARNT
  /** Small frames in a row that were late. */
  #late = 0
  readonly #held: TimedFrame[] = []
  #lastAnswer: Seconds = seconds(Number.NEGATIVE_INFINITY)
  #sent = 0
  #busy = 0
  #isLoopback = false

  /** The connection that carries it is one within this machine, or not. */
  connected(isLoopback: boolean): void {
    this.#isLoopback = isLoopback
  }

  /** @param alone whether no frames to the peer were in the way of the ping */
  pong(roundTrip: Seconds, alone = true): void {
    const verdict = this.#roundTrip.add(roundTrip, alone)
    if (verdict === 'open') return
    const held = this.#held.splice(0)
    if (verdict === 'same') {
      for (const frame of held) this.#take(frame)
      this.#sure = this.#learnt
    } else if (this.#sure.secondsPerByte !== undefined) {
      this.#learnt = this.#sure
      this.#late = 0
    }
  }

  /** A frame of `size` bytes began to leave at `started` and was answered at `answered`. */
  answered(size: number, started: Seconds, answered: Seconds): void {
    const last = this.#lastAnswer
    this.#lastAnswer = answered
    const { time, disputedBy } = this.#roundTrip
    const frame = { size, took: answered - Math.max(started + time, last), answered }
    const isDisputed = disputedBy !== undefined && started + disputedBy > last
    if (this.#learnt.secondsPerByte === undefined || !isDisputed) this.#take(frame)
    else if (this.#held.push(frame) > HELD) this.#held.shift()
  }

  /**
   * A frame of `size` bytes was answered that a shaped link was taken for so long: that is its time, whatever this
   * machine took besides to encrypt, to send, and to get to the answer.
   */
  passed(size: number, took: Seconds, answered: Seconds): void {
    this.#lastAnswer = answered
    this.#late = 0
    this.#learn(took / size, answered)
  }

  #take({ size, took, answered }: TimedFrame): void {
    const known = this.#learnt.secondsPerByte ?? Number.POSITIVE_INFINITY
    if (size >= MEASURABLE) this.#learn(Math.max(LEAST_SECONDS_PER_BYTE, took / size), answered)
    else this.#late = took > SLOWER * size * known + LATE ? this.#late + 1 : 0
  }

  #learn(sample: number, measuredAt: Seconds): void {
    this.#learnt = learnRate(this.#learnt, sample, measuredAt)
  }

  /** Whether the link should be measured again; never while the round trip is disputed. */
  isDoubtful(now: Seconds): boolean {
    if (this.#roundTrip.disputedBy !== undefined) return false
    return isRateDoubtful(this.#learnt, now, this.#late >= LATE_FRAMES)
  }

  /** It is about to be measured: the next frame counts for itself. */
  doubt(now: Seconds): void {
    this.#learnt = doubtRate(this.#learnt, now)
    this.#late = 0
  }

  /** A shaped link was taken for so long. */
  taken(time: Seconds): void {
    this.#busy += time
  }

  sent(size: number): void {
    this.#sent += size
  }

  /** How much to hand to the connection at once so that a notice waits no longer than about 5 ms behind it. */
  chunk(): number {
    const { secondsPerByte } = this.#learnt
    const rate = secondsPerByte === undefined ? 0 : 1 / secondsPerByte
    return Math.min(LARGEST_CHUNK, Math.max(LEAST_CHUNK, Math.round(rate * 0.005)))
  }

  /** Undefined until both a round trip and a transfer were measured. */
  measure(shaped: boolean): LinkMeasure | undefined {
    const { secondsPerByte } = this.#learnt
    if (secondsPerByte === undefined || !this.#roundTrip.isKnown) return undefined
    const rate = 1 / secondsPerByte
    const isBounded = this.#isLoopback && !shaped
    return {
      rate: bytesPerSecond(isBounded ? Math.min(LOOPBACK.most, Math.max(LOOPBACK.least, rate)) : rate),
      latency: seconds(this.#roundTrip.time / 2),
      bytesSent: bytes(this.#sent),
      busySeconds: seconds(this.#busy),
      shaped
    }
  }
}
