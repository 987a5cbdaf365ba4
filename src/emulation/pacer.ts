import type { Clock } from '../core/clock.ts'
import type { DeviceId } from '../core/ids.ts'
import { type Bytes, type BytesPerSecond, type Seconds, seconds, transferTime } from '../core/units.ts'
import type { LinkShaper, Passage } from '../runtime/ports/link-shaper.ts'
import { sleepUntil } from '../runtime/sleep-until.ts'

/** An emulated directed link. */
export interface LinkShape {
  readonly rate: BytesPerSecond
  readonly latency: Seconds
  /** The medium that it shares with other links, of other devices too; undefined for a link of its own. */
  readonly medium?: Medium | undefined
  /** Blocks pass at once, unpaced: they are spread before what is measured begins. */
  readonly isFreeForBlobs?: boolean
}

/** Air that several links share, whose order somebody else keeps. */
export interface Medium {
  /** The same for all devices on it. */
  readonly name: string
  /**
   * Take its next free time for so many seconds of sending.
   * @param link number of the link of this device: its links share the medium like those of others
   * @returns when sending starts, on this device's clock
   */
  reserve(takes: Seconds, link: number): Promise<Seconds>
}

/** Whoever books this soon after it was woken for its last departure was waiting for it. */
const PROMPT: Seconds = seconds(0.002)

/**
 * One directed link as a first-in-first-out server with a rate and a latency.
 *
 *   booked at t:  starts = max(t, free)   departs = starts + size / rate   arrives = departs + latency
 *
 * Instants are computed, not slept: a timer that fires late delays one frame, not all that follow. A sender that
 * waits for a departure before it books again is woken late by the timer; that lateness is given back to it, so that
 * a saturated link really carries its rate.
 */
export class Pacer {
  static #count = 0
  readonly #number = Pacer.#count++
  readonly #clock: Clock
  #free: Seconds = seconds(0)
  #woken: { readonly due: Seconds; readonly at: Seconds } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Take the link's next free time for `size` bytes. */
  book(size: Bytes | number, link: LinkShape): Passage {
    const now = this.#clock.now()
    const woken = this.#woken
    const waited = woken !== undefined && woken.due === this.#free && now - woken.at <= PROMPT
    const starts = waited ? this.#free : seconds(Math.max(now, this.#free))
    const departs = seconds(starts + transferTime(size as Bytes, link.rate))
    this.#free = departs
    return { starts, departs, arrives: seconds(departs + link.latency) }
  }

  /** The next free time of the link, or of the medium that it shares. */
  pass(size: Bytes | number, link: LinkShape): Passage | Promise<Passage> {
    return link.medium === undefined ? this.book(size, link) : this.bookMedium(size, link, link.medium)
  }

  /** The same on a shared medium: its links share it by equal time. */
  async bookMedium(size: Bytes | number, link: LinkShape, medium: Medium): Promise<Passage> {
    const takes = transferTime(size as Bytes, link.rate)
    const starts = await medium.reserve(takes, this.#number)
    const departs = seconds(starts + takes)
    return { starts, departs, arrives: seconds(departs + link.latency) }
  }

  /** Sleep until an instant of this clock. @throws the signal's reason when aborted */
  async until(instant: Seconds, signal: AbortSignal): Promise<void> {
    await sleepUntil(this.#clock, instant, signal)
    if (instant === this.#free) this.#woken = { due: instant, at: this.#clock.now() }
  }
}

/** What the network is given of a link: the pacer's queue, in the shape that the link has now. */
const shaperOf = (pacer: Pacer, link: LinkShape): LinkShaper => ({
  latency: link.latency,
  medium: link.medium?.name,
  sparesBlocks: link.isFreeForBlobs === true,
  pass: size => pacer.pass(size, link),
  until: (instant, signal) => pacer.until(instant, signal)
})

/** Of the links to many peers, each with a queue of its own. */
export class Pacers<Peer> {
  readonly #clock: Clock
  readonly #pacers = new Map<Peer, Pacer>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param link as it is now; undefined where it is a real one */
  shaper(peer: Peer, link: LinkShape | undefined): LinkShaper | undefined {
    if (link === undefined) return undefined
    const pacer = this.#pacers.get(peer) ?? new Pacer(this.#clock)
    this.#pacers.set(peer, pacer)
    return shaperOf(pacer, link)
  }
}

/** All links are like this one. @returns what a network is given */
export const linksLike = (clock: Clock, link: LinkShape): ((peer: DeviceId) => LinkShaper | undefined) => {
  const pacers = new Pacers<DeviceId>(clock)
  return peer => pacers.shaper(peer, link)
}
