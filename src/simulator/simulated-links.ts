import { NOTHING_LEARNT } from '../cluster/learnt-rate.ts'
import { RoundTrip } from '../cluster/round-trip.ts'
import { type Bytes, type BytesPerSecond, bytes, type Seconds, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import type { EventQueue } from './event-queue.ts'
import { type LearntLink, LinkLearning } from './link-learning.ts'
import { ResourceServer } from './resource-server.ts'
import type { SimulatedEvent, SimulationInput, SimulationOutput } from './simulation-input.ts'

export interface SimulatedLinksParts {
  readonly input: SimulationInput
  readonly world: World
  readonly events: EventQueue
  /** Of a device's process; undefined while it is gone. */
  readonly processOf: (device: number) => number | undefined
}

interface LinkModel extends LearntLink {
  readonly server: ResourceServer
  rate: BytesPerSecond
  latency: Seconds
  bytes: number
  busy: number
}

/** The links as they are: each, or each medium, serves one frame at a time. What devices believe of them is in the world. */
export class SimulatedLinks {
  readonly #parts: SimulatedLinksParts
  readonly #learning: LinkLearning
  readonly #links = new Map<number, LinkModel>()

  /** Adds them to the world, as they are at the start. */
  constructor(parts: SimulatedLinksParts) {
    this.#parts = parts
    const { world, events } = parts
    this.#learning = new LinkLearning({
      world,
      now: () => events.now,
      answered: ({ from, to }, answer) => this.#answered(from, to, answer),
      send: ({ from, to }, size, passed) => this.send(from, to, size, size, passed)
    })
    this.#build()
  }

  #build(): void {
    const { input, world, events } = this.#parts
    const media = new Map<number, { readonly server: ResourceServer; readonly resource: number }>()
    for (const { from, to, rate, latency, medium } of input.links) {
      const shared = medium === undefined ? undefined : (media.get(medium) ?? this.#newMedium())
      if (medium !== undefined && shared !== undefined) media.set(medium, shared)
      world.setLink(from, to, rate, latency, shared?.resource)
      const server = shared?.server ?? new ResourceServer(events)
      const roundTrip = new RoundTrip()
      const link = { from, to, server, rate, latency, bytes: 0, busy: 0, learnt: NOTHING_LEARNT, roundTrip }
      this.#links.set(this.#key(from, to), link)
    }
    for (const link of this.#links.values()) this.#learning.begin(link)
  }

  #newMedium(): { readonly server: ResourceServer; readonly resource: number } {
    return { server: new ResourceServer(this.#parts.events), resource: this.#parts.world.addMedium() }
  }

  #key(from: number, to: number): number {
    return from * this.#parts.input.devices.length + to
  }

  #link(from: number, to: number): LinkModel {
    return this.#links.get(this.#key(from, to))!
  }

  /** 0 where there is no link. */
  latency(from: number, to: number): number {
    return this.#links.get(this.#key(from, to))?.latency ?? 0
  }

  /**
   * A frame through a link, behind those that wait for it.
   * @param told bytes that are counted @param passed when the link is free again, after how long
   */
  send(from: number, to: number, size: Bytes, told: Bytes, passed: (took: Seconds) => void): void {
    const link = this.#link(from, to)
    const takes = seconds(size / link.rate + (this.#parts.input.hopOverhead ?? 0))
    link.server.serve(this.#key(from, to), takes, () => {
      link.bytes += told
      link.busy += takes
      passed(takes)
    })
  }

  /** Its sender learns from a frame how fast the link is. */
  learn(from: number, to: number, size: Bytes, took: Seconds): void {
    this.#learning.passed(this.#link(from, to), size, took)
  }

  /** Running devices ping each other, whether or not anything else passes. */
  ping(): void {
    const { processOf } = this.#parts
    for (const link of this.#links.values())
      if (processOf(link.from) !== undefined && processOf(link.to) !== undefined) this.#learning.ping(link)
  }

  #answered(from: number, to: number, answer: () => void): void {
    const { events, processOf } = this.#parts
    const before = [from, to].map(processOf)
    events.schedule(this.latency(from, to) + this.latency(to, from), () => {
      if ([from, to].every((n, i) => processOf(n) !== undefined && processOf(n) === before[i])) answer()
    })
  }

  /** They become what an event says. */
  change({ links, rate, latency }: Extract<SimulatedEvent, { kind: 'link' }>): void {
    for (const { from, to } of links) {
      const link = this.#link(from, to)
      link.rate = rate ?? link.rate
      link.latency = latency ?? link.latency
    }
  }

  counters(): SimulationOutput['links'] {
    return [...this.#links.values()].map(({ from, to, bytes: sent, busy }) => ({
      from,
      to,
      bytes: bytes(sent),
      busy: seconds(busy)
    }))
  }
}
