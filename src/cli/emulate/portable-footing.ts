import type { Clock } from '../../core/clock.ts'
import type { Scenario, ScenarioLink } from '../../core/scenario.ts'
import { type MediumArbiter, openMediumArbiter } from '../../emulation/medium-arbiter.ts'
import type { NodeOrder } from '../node/take-orders.ts'
import type { Footing, LinkChange } from './footing.ts'

/**
 * The footing that works everywhere: plain processes on the loopback, whose lanes wait until a slower device would be
 * done and whose links are paced by the sender; an arbiter for each shared medium.
 */
export class PortableFooting implements Footing {
  /** As they are now: who joins again finds what has changed since. */
  readonly #speeds: number[]
  /** By `from to`. */
  readonly #links: Map<string, ScenarioLink>
  readonly #arbiters: ReadonlyMap<number, MediumArbiter>

  private constructor({ devices, links }: Scenario, arbiters: ReadonlyMap<number, MediumArbiter>) {
    this.#speeds = devices.map(({ speed }) => speed)
    this.#links = new Map(links.map(link => [keyOf(link.from, link.to), link]))
    this.#arbiters = arbiters
  }

  static async open(scenario: Scenario, clock: Clock): Promise<PortableFooting> {
    const arbiters = new Map<number, MediumArbiter>()
    for (const { medium } of scenario.links)
      if (medium !== undefined && !arbiters.has(medium)) arbiters.set(medium, await openMediumArbiter(clock))
    return new PortableFooting(scenario, arbiters)
  }

  launcher(): readonly string[] {
    return []
  }

  flags(n: number, ids: readonly string[]): readonly string[] {
    const shaped = ids.flatMap((id, to) => {
      if (to === n) return []
      const link = this.#links.get(keyOf(n, to))
      if (link === undefined) return ['--emulate-link', `${id}=none`]
      const { rate, latency, medium } = link
      const shared = medium === undefined ? '' : `,medium=${this.#arbiters.get(medium)!.address}`
      return ['--emulate-link', `${id}=${rate * 8}bps,${latency}s${shared}`]
    })
    return ['--listen', '127.0.0.1:0', '--speed', String(this.#speeds[n]), ...shaped]
  }

  async slow(n: number, speed: number, order: (order: NodeOrder) => void): Promise<void> {
    this.#speeds[n] = speed
    order({ speed })
  }

  async relink(
    from: number,
    to: number,
    { rate, latency }: LinkChange,
    peer: string,
    order: (order: NodeOrder) => void
  ): Promise<void> {
    const link = this.#links.get(keyOf(from, to))
    if (link === undefined) return
    const changed = { ...link, rate: rate ?? link.rate, latency: latency ?? link.latency }
    this.#links.set(keyOf(from, to), changed)
    order({ link: peer, rate: changed.rate, latency: changed.latency })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const arbiter of this.#arbiters.values()) await arbiter[Symbol.asyncDispose]()
  }
}

const keyOf = (from: number, to: number): string => `${from} ${to}`
