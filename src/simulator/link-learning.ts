import { RATE_LEARNING } from '../core/rate-learning.ts'
import type { BytesPerSecond, Seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'

/** What is true of a link, and what was learnt of it. */
export interface LearntLink {
  readonly from: number
  readonly to: number
  readonly rate: BytesPerSecond
  readonly latency: Seconds
  /** The fastest that it was taken to be, and when its rate was last seen. */
  best: number
  seenAt: number
}

/** How devices learn what their links have become, as running ones do: rates from frames that pass, latencies from pings. */
export class LinkLearning {
  readonly #world: World
  readonly #now: () => Seconds

  constructor(world: World, now: () => Seconds) {
    this.#world = world
    this.#now = now
  }

  /** A frame passed at `rate`. Seconds per byte are averaged, as by the meter of a running link. */
  passed(link: LearntLink, rate: number, weight: number = RATE_LEARNING.weight): void {
    const believed = this.#world.link(link.from, link.to)!
    link.seenAt = this.#now()
    if (Math.abs(rate / believed.rate - 1) < 1e-6) return
    const learnt = 1 / ((1 - weight) / believed.rate + weight / rate)
    link.best = Math.max(link.best, learnt)
    this.#world.setLink(link.from, link.to, learnt as BytesPerSecond, believed.latency)
  }

  /** A ping came back. It takes no bandwidth. */
  pinged({ from, to, latency }: LearntLink): void {
    const believed = this.#world.link(from, to)!
    if (believed.latency !== latency) this.#world.setLink(from, to, believed.rate, latency)
  }

  /** Called often. A link that is taken to have become slow and is not used any more is measured again. */
  doubt(link: LearntLink): void {
    if (this.#now() - link.seenAt <= RATE_LEARNING.old) return
    const believed = this.#world.link(link.from, link.to)!.rate
    if (believed < link.best / RATE_LEARNING.slower) this.passed(link, link.rate, 1)
  }
}
