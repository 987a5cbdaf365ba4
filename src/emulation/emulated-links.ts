import type { DeviceId } from '../core/ids.ts'
import type { BytesPerSecond, Seconds } from '../core/units.ts'
import type { LinkShaper } from '../runtime/ports/link-shaper.ts'
import { systemClock } from '../runtime/system-clock.ts'
import type { EmulatedLink } from './emulated-link.ts'
import { createMediumClient } from './medium-client.ts'
import { type LinkShape, type Medium, Pacers } from './pacer.ts'

/**
 * The emulated links of a device, by the id or the name of the device at the other end. They may change while it runs.
 * A peer that has not said its name yet and is not given by its id gets some emulated link rather than none: it is
 * measured right away.
 */
export class EmulatedLinks {
  /** Until the run begins, where that is said by others: blocks spread without being paced. */
  isFreeForBlobs: boolean
  readonly #links = new Map<string, EmulatedLink>()
  readonly #media = new Map<string, Medium>()
  /** What the network asks, by the peer's id: each link has a queue of its own, whatever becomes of its shape. */
  readonly #pacers = new Pacers<string>(systemClock)

  constructor(links: readonly EmulatedLink[], { isFreeForBlobs = false } = {}) {
    for (const link of links) this.#links.set(link.peer, link)
    this.isFreeForBlobs = isFreeForBlobs
  }

  get isEmpty(): boolean {
    return this.#links.size === 0
  }

  exists(id: DeviceId, name: string | undefined): boolean {
    return this.#find(id, name)?.exists !== false
  }

  /** undefined where the real link counts. */
  shapeOf(id: DeviceId, name: string | undefined): LinkShape | undefined {
    const link = this.#find(id, name) ?? (name === undefined ? this.#any() : undefined)
    return link === undefined || !link.exists ? undefined : this.#shape(link)
  }

  shaperOf(id: DeviceId, name: string | undefined): LinkShaper | undefined {
    return this.#pacers.shaper(id, this.shapeOf(id, name))
  }

  change(peer: string, rate: BytesPerSecond | undefined, latency: Seconds | undefined): void {
    const link = this.#find(peer, undefined)
    if (link === undefined) return
    this.#links.set(peer, { ...link, peer, rate: rate ?? link.rate, latency: latency ?? link.latency })
  }

  #find(id: string, name: string | undefined): EmulatedLink | undefined {
    return this.#links.get(id) ?? this.#links.get(name ?? '*') ?? this.#links.get('*')
  }

  #any(): EmulatedLink | undefined {
    return [...this.#links.values()].find(({ exists }) => exists)
  }

  #shape({ rate, latency, medium }: EmulatedLink): LinkShape {
    return {
      rate,
      latency,
      medium: medium === undefined ? undefined : this.#medium(medium),
      isFreeForBlobs: this.isFreeForBlobs
    }
  }

  /** Connected when it is first used. */
  #medium(address: string): Medium {
    const known = this.#media.get(address)
    if (known !== undefined) return known
    const medium = createMediumClient(address, systemClock)
    this.#media.set(address, medium)
    return medium
  }
}
