import type { DeviceId } from '../../core/ids.ts'
import type { Rng } from '../../core/rng.ts'
import { type BytesPerSecond, type Seconds, seconds } from '../../core/units.ts'
import type { EventClock } from './event-clock.ts'
import type { MemoryNetwork } from './memory-network.ts'

/** One direction between two devices. */
export interface Wire {
  readonly from: DeviceId
  readonly to: DeviceId
  latency: Seconds
  rate: BytesPerSecond
  /** Nothing gets through; what is sent meanwhile waits, as TCP sends it again, unless its connection is lost. */
  isCut: boolean
  /** Of tasks: when the last one has left. */
  freeAt: number
  /** Nothing sent later arrives before these. */
  lastTaskAt: number
  lastControlAt: number
  held: Letter[]
  /** How many reasons there are for what is sent to arrive again. */
  doubles: number
}

/** A connection between two devices, of one life of each. */
export interface Link {
  isOpen: boolean
}

/** Something on its way to a device's process. */
export interface Letter {
  readonly link: Link
  readonly channel: 'task' | 'control'
  readonly deliver: () => void
}

/** What wires are like. Seconds, bytes per second. */
export interface HubParts {
  readonly clock: EventClock
  readonly rng: Rng
  /** Seconds and bytes per second from one device to another, as they are drawn for each pair. */
  readonly shape: (from: DeviceId, to: DeviceId) => { readonly latency: Seconds; readonly rate: BytesPerSecond }
  /** Of states, the share that gossip does not bring. @default 0 */
  readonly gossipLoss?: number
  /** Latencies are not twice the same: up to so many times more. @default 0.3 */
  readonly jitter?: number
  /** What a message of a task is larger than its tensors. @default 200 bytes */
  readonly header?: number
  /** False: messages are handed over as they are, which nobody writes to; a third of the time goes without the codec. @default true */
  readonly encodes?: boolean
  /** Told what passes, for the log. */
  readonly trace?: (text: string) => void
}

const FIRST_DIAL: Seconds = seconds(0.05)
const FIRST_PAUSE = 0.25
const LONGEST_PAUSE = 5
const PAUSE_GROWTH = 1.6
const JITTER = 0.3
const HEADER = 200

/**
 * The wires between simulated devices, and who is connected to whom. Each pair has two channels, as the real network has
 * two streams: within one, letters arrive in the order in which they were sent; between them, and between pairs, in any.
 */
export class MemoryHub {
  readonly #parts: HubParts
  readonly #wires = new Map<string, Wire>()
  readonly #networks = new Map<DeviceId, MemoryNetwork>()

  constructor(parts: HubParts) {
    this.#parts = parts
  }

  get clock(): EventClock {
    return this.#parts.clock
  }

  get rng(): Rng {
    return this.#parts.rng
  }

  get header(): number {
    return this.#parts.header ?? HEADER
  }

  get encodes(): boolean {
    return this.#parts.encodes ?? true
  }

  trace(text: string): void {
    this.#parts.trace?.(text)
  }

  network(id: DeviceId): MemoryNetwork | undefined {
    return this.#networks.get(id)
  }

  networks(): readonly MemoryNetwork[] {
    return [...this.#networks.values()]
  }

  /** A process has begun to listen: it looks for all others, and they for it. */
  opened(network: MemoryNetwork): void {
    this.#networks.set(network.self, network)
    for (const other of this.#networks.values()) if (other !== network) this.seek(network, other, FIRST_DIAL)
  }

  /** A process is gone; whether others are told is theirs to find out. */
  closed(network: MemoryNetwork): void {
    if (this.#networks.get(network.self) === network) this.#networks.delete(network.self)
  }

  /** A process hangs, goes on or is gone. */
  processChanged(id: DeviceId): void {
    for (const network of this.#networks.values()) {
      if (network.self === id) network.lookAtAll()
      else network.lookAt(id)
    }
  }

  wire(from: DeviceId, to: DeviceId): Wire {
    const key = `${from} ${to}`
    const known = this.#wires.get(key)
    if (known !== undefined) return known
    const { latency, rate } = this.#parts.shape(from, to)
    const wire: Wire = {
      from,
      to,
      latency,
      rate,
      isCut: false,
      freeAt: 0,
      lastTaskAt: 0,
      lastControlAt: 0,
      held: [],
      doubles: 0
    }
    this.#wires.set(key, wire)
    return wire
  }

  /** Dial until the two are connected or one of them is gone. */
  seek(a: MemoryNetwork, b: MemoryNetwork, first: number): void {
    if (a.isSeeking(b)) return
    a.setSeeking(b, true)
    b.setSeeking(a, true)
    const round = (pause: number): void => {
      const isOver = !this.#isOpen(a) || !this.#isOpen(b) || a.isConnectedTo(b)
      if (isOver) {
        a.setSeeking(b, false)
        b.setSeeking(a, false)
      } else if (
        a.isReachable &&
        b.isReachable &&
        !this.wire(a.self, b.self).isCut &&
        !this.wire(b.self, a.self).isCut
      ) {
        a.setSeeking(b, false)
        b.setSeeking(a, false)
        this.#connect(a, b)
      } else {
        this.clock.after(pause * (1 + this.rng.next()), () => round(Math.min(LONGEST_PAUSE, pause * PAUSE_GROWTH)))
      }
    }
    this.clock.after(first * (1 + this.rng.next()), () => round(FIRST_PAUSE))
  }

  #isOpen(network: MemoryNetwork): boolean {
    return this.#networks.get(network.self) === network
  }

  /** The two prove the key to each other; each hears of it in its own time, and of nothing else of the other before. */
  #connect(a: MemoryNetwork, b: MemoryNetwork): void {
    const link: Link = { isOpen: true }
    for (const [one, other] of [
      [a, b],
      [b, a]
    ] as const) {
      const wire = this.wire(other.self, one.self)
      const at = this.clock.now() + this.#latency(wire) * 3
      wire.lastTaskAt = Math.max(wire.lastTaskAt, at)
      wire.lastControlAt = Math.max(wire.lastControlAt, at)
      one.connects(other, link)
      one.process.at(at, () => one.begin(other, link))
    }
  }

  /** Over a connection, in order. @param at when its last byte leaves the sender */
  post(wire: Wire, letter: Letter, at: number = this.clock.now()): void {
    if (wire.isCut) {
      wire.held.push(letter)
      return
    }
    const floor = letter.channel === 'task' ? wire.lastTaskAt : wire.lastControlAt
    const arrives = Math.max(floor, at + this.#latency(wire))
    if (letter.channel === 'task') wire.lastTaskAt = arrives
    else wire.lastControlAt = arrives
    this.clock.at(arrives, () => {
      // What was under way when the wire was cut has to be sent again.
      if (wire.isCut) wire.held.push(letter)
      else this.#arrive(wire, letter)
    })
  }

  #arrive(wire: Wire, { link, deliver }: Letter): void {
    const receiver = this.#networks.get(wire.to)
    receiver?.process.call(() => {
      if (link.isOpen) deliver()
    })
  }

  #latency(wire: Wire): number {
    return wire.latency * (1 + (this.#parts.jitter ?? JITTER) * this.rng.next())
  }

  /** States reach everybody, over others too, sooner or later; a few do not. */
  gossip(from: MemoryNetwork, deliver: (to: MemoryNetwork) => void): void {
    for (const to of this.#networks.values()) {
      if (to === from || this.rng.next() < (this.#parts.gossipLoss ?? 0)) continue
      const direct = this.wire(from.self, to.self)
      const way = direct.isCut || !from.isConnectedTo(to) ? this.#overOthers(from, to) : this.#latency(direct)
      if (way === undefined) continue
      this.clock.after(way, () => to.process.call(() => deliver(to)))
    }
  }

  #overOthers(from: MemoryNetwork, to: MemoryNetwork): number | undefined {
    for (const other of this.#networks.values()) {
      if (other === from || other === to || !other.isReachable) continue
      const ways = [this.wire(from.self, other.self), this.wire(other.self, to.self)]
      if (ways.some(({ isCut }) => isCut) || !from.isConnectedTo(other) || !other.isConnectedTo(to)) continue
      return ways.reduce((sum, wire) => sum + this.#latency(wire), 0)
    }
    return undefined
  }

  // ---- what goes wrong ----

  cut(from: DeviceId, to: DeviceId): void {
    const wire = this.wire(from, to)
    if (wire.isCut) return
    wire.isCut = true
    this.#networks.get(to)?.lookAt(from)
  }

  heal(from: DeviceId, to: DeviceId): void {
    const wire = this.wire(from, to)
    if (!wire.isCut) return
    wire.isCut = false
    const { held } = wire
    wire.held = []
    for (const letter of held) this.post(wire, letter)
    this.#networks.get(to)?.lookAt(from)
  }

  /** Their streams are reset: what is under way either way is lost, and both remain connected. */
  reset(a: DeviceId, b: DeviceId): void {
    const one = this.#networks.get(a)
    const other = this.#networks.get(b)
    if (one === undefined || other === undefined || !one.isConnectedTo(other)) return
    const link: Link = { isOpen: true }
    one.process.call(() => one.resets(b, link))
    other.process.call(() => other.resets(a, link))
  }

  /** Both notice that their connection is closed. */
  disconnect(a: DeviceId, b: DeviceId): void {
    const one = this.#networks.get(a)
    const other = this.#networks.get(b)
    if (one === undefined || other === undefined) return
    const link = one.linkTo(b)
    if (link === undefined || !link.isOpen) return
    link.isOpen = false
    one.process.call(() => one.lose(b, link, 'its connection closed'))
    other.process.call(() => other.lose(a, link, 'its connection closed'))
  }
}
