import {
  doubtRate,
  isRateDoubtful,
  type LearntRate,
  learnRate,
  NOTHING_LEARNT,
  PROBE_BYTES
} from '../cluster/learnt-rate.ts'
import type { RoundTrip } from '../cluster/round-trip.ts'
import { type Bytes, bytesPerSecond, type Seconds, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'

/** Of a directed link, what is true and what its sender has learnt. */
export interface LearntLink {
  readonly from: number
  readonly to: number
  readonly latency: Seconds
  learnt: LearntRate
  readonly roundTrip: RoundTrip
}

export interface LinkLearningParts {
  readonly world: World
  readonly now: () => Seconds
  /** After the time of a message there and back, unless one of the two is gone by then. */
  readonly answered: (link: LearntLink, answer: () => void) => void
  /** Through the link, behind what waits for it. */
  readonly send: (link: LearntLink, size: Bytes, passed: (took: Seconds) => void) => void
}

/** Differences that are none but of rounding. */
const ALIKE = 1e-6

/** How devices learn what their links have become, by the rules of running ones: rates from frames that pass, latencies from pings. */
export class LinkLearning {
  readonly #parts: LinkLearningParts

  constructor(parts: LinkLearningParts) {
    this.#parts = parts
  }

  /** What is believed at the start was measured then. */
  begin(link: LearntLink): void {
    const { rate, latency } = this.#parts.world.link(link.from, link.to)!
    link.learnt = learnRate(NOTHING_LEARNT, 1 / rate, this.#parts.now())
    link.roundTrip.add(seconds(2 * latency), true)
  }

  /** A frame of that size took the link for so long. */
  passed(link: LearntLink, size: number, took: Seconds): void {
    link.learnt = learnRate(link.learnt, took / size, this.#parts.now())
    const { world } = this.#parts
    const believed = world.link(link.from, link.to)!
    const rate = 1 / link.learnt.secondsPerByte!
    if (Math.abs(rate / believed.rate - 1) >= ALIKE)
      world.setLink(link.from, link.to, bytesPerSecond(rate), believed.latency)
  }

  /** Called every half second. A ping takes no bandwidth; a link that is doubtful is measured, which does. */
  ping(link: LearntLink): void {
    const { now, answered, send } = this.#parts
    if (link.roundTrip.disputedBy === undefined && isRateDoubtful(link.learnt, now(), false)) {
      link.learnt = doubtRate(link.learnt, now())
      send(link, PROBE_BYTES, took => this.passed(link, PROBE_BYTES, took))
    }
    const sent = now()
    answered(link, () => this.#ponged(link, seconds(now() - sent)))
  }

  #ponged({ from, to, roundTrip }: LearntLink, took: Seconds): void {
    const { world } = this.#parts
    roundTrip.add(took, true)
    const believed = world.link(from, to)!
    const latency = seconds(roundTrip.time / 2)
    if (Math.abs(latency - believed.latency) > ALIKE * latency) world.setLink(from, to, believed.rate, latency)
  }
}
