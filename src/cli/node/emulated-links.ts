import type { BytesPerSecond, Seconds } from '../../core/units.ts'
import { createMediumClient } from '../../runtime/network/medium-client.ts'
import type { LinkShape, Medium } from '../../runtime/network/pacer.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import type { EmulatedLink } from './emulated-link.ts'

/** The emulated links of a device, by the name of the device at the other end. They may change while it runs. */
export class EmulatedLinks {
  readonly #links = new Map<string, EmulatedLink>()
  readonly #media = new Map<string, Medium>()

  constructor(links: readonly EmulatedLink[]) {
    for (const link of links) this.#links.set(link.peer, link)
  }

  get isEmpty(): boolean {
    return this.#links.size === 0
  }

  exists(peer: string): boolean {
    return this.#link(peer)?.exists !== false
  }

  /** undefined where the real link counts. */
  shapeOf(peer: string): LinkShape | undefined {
    const link = this.#link(peer)
    return link === undefined || !link.exists ? undefined : this.#shape(link)
  }

  anyShape(): LinkShape | undefined {
    const link = [...this.#links.values()].find(({ exists }) => exists)
    return link === undefined ? undefined : this.#shape(link)
  }

  change(peer: string, rate: BytesPerSecond | undefined, latency: Seconds | undefined): void {
    const link = this.#link(peer)
    if (link === undefined) return
    this.#links.set(peer, { ...link, peer, rate: rate ?? link.rate, latency: latency ?? link.latency })
  }

  #link(peer: string): EmulatedLink | undefined {
    return this.#links.get(peer) ?? this.#links.get('*')
  }

  #shape({ rate, latency, medium }: EmulatedLink): LinkShape {
    return { rate, latency, medium: medium === undefined ? undefined : this.#medium(medium) }
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
