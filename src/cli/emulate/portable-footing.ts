import type { Clock } from '../../core/clock.ts'
import type { Scenario } from '../../core/scenario.ts'
import { type MediumArbiter, openMediumArbiter } from '../../runtime/network/medium-arbiter.ts'
import type { NodeOrder } from '../node/take-orders.ts'
import type { Footing, LinkChange } from './footing.ts'

/**
 * The footing that works everywhere: plain processes on the loopback, whose lanes wait until a slower device would be
 * done and whose links are paced by the sender; an arbiter for each shared medium.
 */
export class PortableFooting implements Footing {
  readonly #scenario: Scenario
  readonly #arbiters: ReadonlyMap<number, MediumArbiter>

  private constructor(scenario: Scenario, arbiters: ReadonlyMap<number, MediumArbiter>) {
    this.#scenario = scenario
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
    const { devices, links } = this.#scenario
    const shaped = ids.flatMap((id, to) => {
      if (to === n) return []
      const link = links.find(l => l.from === n && l.to === to)
      if (link === undefined) return ['--emulate-link', `${id}=none`]
      const { rate, latency, medium } = link
      const shared = medium === undefined ? '' : `,medium=${this.#arbiters.get(medium)!.address}`
      return ['--emulate-link', `${id}=${rate * 8}bps,${latency}s${shared}`]
    })
    return ['--listen', '127.0.0.1:0', '--speed', String(devices[n]!.speed), ...shaped]
  }

  async slow(_: number, speed: number, order: (order: NodeOrder) => void): Promise<void> {
    order({ speed })
  }

  async relink(
    _: number,
    __: number,
    change: LinkChange,
    peer: string,
    order: (order: NodeOrder) => void
  ): Promise<void> {
    order({ link: peer, ...change })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const arbiter of this.#arbiters.values()) await arbiter[Symbol.asyncDispose]()
  }
}
