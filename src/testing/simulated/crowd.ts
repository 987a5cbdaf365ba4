import { toBinary } from '@bufbuild/protobuf'
import { createRng } from '../../core/rng.ts'
import { bytesPerSecond, seconds } from '../../core/units.ts'
import { DeviceStateSchema, NoticeSchema, RequestSchema } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import { EventClock } from './event-clock.ts'
import { MemoryDevice } from './memory-device.ts'
import { MemoryHub } from './memory-hub.ts'
import { toyModel } from './toy-model.ts'

const net = toyModel({
  name: 'net',
  salt: 1,
  work: [0.02, 0.03, 0.03, 0.02],
  weights: [1e6, 1e6, 1e6, 1e6],
  length: 64,
  skips: false
})
const ITEM = { type: 'int32', dims: [1, 64], data: Array.from({ length: 64 }, (_, i) => i) } as const

/** What devices say beside data. */
export interface Said {
  /** To one device each: reports, remarks, custody, requests. */
  readonly messages: number
  readonly bytes: number
  /** By gossip, to all. */
  readonly states: number
  readonly stateBytes: number
}

/** For all to know of a device that has come, or gone. Simulated seconds, like all here. */
const PATIENCE = 30
/** How often that is looked at. */
const LOOK = 0.02
/** Data a second, of all sources together. */
const RATE = 20

/**
 * Devices as in production in simulated time, all connected, and what they say to each other: encoded, as on the wire. No
 * processor is too slow for them.
 */
export class Crowd {
  readonly clock = new EventClock()
  readonly devices: MemoryDevice[] = []
  readonly #said = { messages: 0, bytes: 0, states: 0, stateBytes: 0 }
  readonly #hub: MemoryHub

  constructor(size: number) {
    const wire = { latency: seconds(0.002), rate: bytesPerSecond(12.5e6) }
    this.#hub = new MemoryHub({
      clock: this.clock,
      rng: createRng(`crowd ${size}`),
      shape: () => wire,
      gossipLoss: 0.02
    })
    for (let n = 0; n < size; n++) this.add(`device${n}`)
  }

  add(name: string): MemoryDevice {
    const device = new MemoryDevice({ hub: this.#hub, name, models: this.devices.length === 0 ? [net] : [] })
    this.#listenTo(device)
    this.devices.push(device)
    void device.start()
    return device
  }

  #listenTo({ network }: MemoryDevice): void {
    const said = this.#said
    const [publish, notify, request] = [
      network.publishState.bind(network),
      network.notify.bind(network),
      network.request.bind(network)
    ]
    network.publishState = state => {
      said.states++
      said.stateBytes += toBinary(DeviceStateSchema, state).length
      publish(state)
    }
    network.notify = (to, notice) => {
      said.messages++
      said.bytes += toBinary(NoticeSchema, notice).length
      notify(to, notice)
    }
    network.request = (to, what, options) => {
      said.messages++
      said.bytes += toBinary(RequestSchema, what).length
      return request(to, what, options)
    }
  }

  /** No answer to anybody, and no connection closed: as when its cable is pulled. */
  silence({ clock, network }: MemoryDevice): void {
    clock.kill()
    this.#hub.processChanged(network.self)
  }

  until(instant: number): Promise<void> {
    return this.clock.run(() => this.clock.now() >= instant)
  }

  /** @returns simulated seconds until it is so @throws Error where it is not within PATIENCE */
  async takes(what: () => boolean): Promise<number> {
    const begun = this.clock.now()
    let looked = begun
    let isSo = false
    await this.clock.run(() => {
      const now = this.clock.now()
      if (now - looked < LOOK) return false
      looked = now
      isSo = what()
      return isSo || now > begun + PATIENCE
    })
    if (!isSo) throw new Error(`${this.devices.length} devices: not within ${PATIENCE} s`)
    return this.clock.now() - begun
  }

  /** Whether each device knows so many. */
  know(count: number): boolean {
    return this.devices.every(({ device }) => device.status().devices.length === count)
  }

  /** Whether nobody is connected to it any more. */
  hasLost({ network }: MemoryDevice): boolean {
    return this.devices.every(device => device.network === network || !device.network.peers().has(network.self))
  }

  /** Each device becomes a source; all together send RATE data a second for so long. */
  work(lasts: number): void {
    const every = this.devices.length / RATE
    const items = Array.from({ length: Math.ceil(lasts / every) }, () => ITEM)
    for (const device of this.devices) device.addSource({ name: 'cam', model: 'net', items, every })
  }

  /** What each device says in a second, over so many, when as many have passed. */
  async rates(span: number): Promise<Said> {
    await this.until(this.clock.now() + span)
    const before = { ...this.#said }
    await this.until(this.clock.now() + span)
    const of = (what: keyof Said): number => (this.#said[what] - before[what]) / this.devices.length / span
    return { messages: of('messages'), bytes: of('bytes'), states: of('states'), stateBytes: of('stateBytes') }
  }
}
