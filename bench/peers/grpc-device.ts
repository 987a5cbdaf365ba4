/**
 * One device of the peer, written the obvious way: onnxruntime-node on the main thread, a queue in front of it, a gRPC
 * stream to every other device, and round robin over the routes for the data of its own sources. Its parent says which
 * blocks it carries, tells it the other devices' ports, and when to begin.
 */
import '../../src/runtime/engine/no-telemetry.ts'
import '../../src/core/promise-with-resolvers.ts'
import ort from 'onnxruntime-node'
import { createArrivals, parseArrivals } from '../../src/core/arrivals.ts'
import { madeUpTensor } from '../../src/core/made-up-tensor.ts'
import { createRng } from '../../src/core/rng.ts'
import type { Tensor } from '../../src/core/tensor.ts'
import { emulatedEnd, emulatedStart } from '../../src/emulation/emulated-time.ts'
import { fromOrt, toOrt } from '../../src/runtime/engine/ort-tensor.ts'
import { createSyntheticPort } from '../../src/runtime/io/create-synthetic-port.ts'
import type { FromDevice, GrpcVariant, ToDevice } from './grpc-system.ts'
import { type Activation, type Certificate, Relay } from './relay.ts'
import { routesOf } from './routes.ts'
import type { Placed, SystemJob } from './system-job.ts'
import { waitUntil } from './wait-until.ts'

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, Math.max(0, ms)))

/** The same settings as a device of Tributary has. */
const SESSION_OPTIONS: ort.InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  extra: { session: { force_spinning_stop: '1' } }
}

class GrpcDevice {
  readonly #self: number
  readonly #job: SystemJob
  readonly #routes
  readonly #variant: GrpcVariant
  readonly #sessions = new Map<number, ort.InferenceSession>()
  readonly #queue: { readonly activation: Activation; readonly since: number }[] = []
  /** When its last block ended. */
  #freeSince = 0
  #wake = (): void => {}
  #relay!: Relay
  /** For each of its own sources, by number. */
  readonly #home = new Map<number, (activation: Activation) => void>()

  constructor(self: number, job: SystemJob, placement: Placed, variant: GrpcVariant) {
    this.#self = self
    this.#job = job
    this.#routes = routesOf(placement, job.manifest.blocks.length)
    this.#variant = variant
  }

  /** Load and warm up. @returns the port that others reach it on */
  async open(blocks: readonly number[], certificate: Certificate | undefined): Promise<number> {
    for (const block of blocks) {
      this.#sessions.set(block, await ort.InferenceSession.create(this.#job.blocks[block]!, SESSION_OPTIONS))
      for (let i = 0; i < 3; i++) await this.#run(block, this.#madeUp(block))
    }
    const onActivation = (activation: Activation): void => this.#take(activation)
    this.#relay = await Relay.start({ self: this.#self, direction: this.#variant.direction, certificate, onActivation })
    return this.#relay.port
  }

  connect(ports: ReadonlyMap<number, number>): Promise<void> {
    return this.#relay.connect(ports)
  }

  begin(): void {
    void this.#compute()
    for (const [n, { device }] of this.#job.sources.entries()) if (device === this.#self) void this.#feed(n)
  }

  /** What arrives, or starts here: a result goes to its source, everything else into the queue. */
  #take(activation: Activation): void {
    if (activation.step === this.#routes[activation.route]!.length) this.#home.get(activation.source)!(activation)
    else {
      this.#queue.push({ activation, since: performance.now() })
      this.#wake()
    }
  }

  async #compute(): Promise<never> {
    for (;;) {
      const next = this.#queue.shift()
      if (next === undefined) await new Promise<void>(resolve => (this.#wake = resolve))
      // The next block does not wait until this activation has left.
      else void this.#pass(await this.#step(next.activation, next.since))
    }
  }

  /**
   * All the blocks of one step of its route; lasts as long as they take at this device's speed, counted as Tributary's emulated
   * devices count it: from when the device was free and the activation was there, until they were to end.
   */
  async #step(activation: Activation, since: number): Promise<Activation> {
    const { from, until } = this.#routes[activation.route]![activation.step]!
    const startedAt = 1000 * emulatedStart(this.#freeSince / 1000, since / 1000, performance.now() / 1000)
    let { tensors } = activation
    let work = 0
    for (let block = from; block < until; block++) {
      tensors = await this.#run(block, tensors)
      work += this.#job.manifest.blocks[block]!.work
    }
    const due = startedAt + (1000 * work) / this.#job.devices[this.#self]!.speed
    if (this.#variant.isLoopFree) await sleep(due - performance.now())
    else waitUntil(due)
    this.#freeSince = 1000 * emulatedEnd(due / 1000, performance.now() / 1000)
    return { ...activation, step: activation.step + 1, tensors }
  }

  /** To the next device of its route; after the last, home. */
  async #pass(activation: Activation): Promise<void> {
    const next = this.#routes[activation.route]![activation.step]
    const to = next?.device ?? this.#job.sources[activation.source]!.device
    if (to === this.#self) this.#take(activation)
    else await this.#relay.send(to, activation)
  }

  /** Activation `block` + 1 from activation `block`. */
  async #run(block: number, tensors: readonly Tensor[]): Promise<readonly Tensor[]> {
    const session = this.#sessions.get(block)!
    const alive = new Map(tensors.map(tensor => [tensor.name, tensor]))
    const feeds = Object.fromEntries(session.inputNames.map(name => [name, toOrt(alive.get(name)!)]))
    const made = await session.run(feeds)
    for (const name of session.outputNames) alive.set(name, fromOrt(name, made[name]!))
    return this.#job.manifest.activations[block + 1]!.tensors.map(({ name }) => alive.get(name)!)
  }

  #madeUp(block: number): readonly Tensor[] {
    const { tensors } = this.#job.manifest.activations[block]!
    return tensors.map(({ name, type, shape }) => madeUpTensor(name, type, shape as number[], createRng('warm-up')))
  }

  /** Data in order, as window and arrivals allow, on the routes in turn. */
  async #feed(source: number): Promise<void> {
    const { sources, count, window, arrivals, seed, manifest } = this.#job
    const { name } = sources[source]!
    const rng = createRng(seed)
    const port = createSyntheticPort(count, manifest.inputs, rng.fork(`data of ${name}`))
    const availableAt = createArrivals(parseArrivals(arrivals), rng.fork(name))
    const items = await port.list('')
    const available = new Map<number, number>()
    let roomAgain = (): void => {}
    this.#home.set(source, ({ datum, tensors }) => {
      const item = items[datum]!
      const inferenceTime = (performance.now() - available.get(datum)!) / 1000
      available.delete(datum)
      roomAgain()
      void port.write(item, tensors).then(written => {
        const [{ digest }] = Object.values(written as Record<string, { digest: string }>) as [{ digest: string }]
        process.send!({ source, result: { item: item.name, inferenceTime, digest } } satisfies FromDevice)
      })
    })
    const startedAt = performance.now()
    for (const [datum, item] of items.entries()) {
      const due = availableAt === undefined ? undefined : startedAt + 1000 * availableAt(datum)
      if (due !== undefined && due > performance.now()) await sleep(due - performance.now())
      while (available.size >= window) await new Promise<void>(resolve => (roomAgain = resolve))
      const tensors = await port.read(item)
      available.set(datum, due ?? performance.now())
      // Sources begin at different routes, so that they do not meet.
      await this.#pass({ source, datum, route: (datum + source) % this.#routes.length, step: 0, tensors })
    }
  }
}

let device: GrpcDevice
const orders: { readonly [K in ToDevice['kind']]: (order: Extract<ToDevice, { kind: K }>) => Promise<void> } = {
  open: async ({ self, job, placement, variant, certificate }) => {
    device = new GrpcDevice(self, job, placement, variant)
    process.send!({ port: await device.open(placement[self]!, certificate) } satisfies FromDevice)
  },
  connect: async ({ ports }) => {
    await device.connect(new Map(ports))
    process.send!({ isReady: true } satisfies FromDevice)
  },
  begin: async () => device.begin()
}
process.on('message', (order: ToDevice) => void orders[order.kind](order as never))
process.once('disconnect', () => process.exit())
