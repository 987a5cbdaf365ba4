import { createArrivals } from '../../core/arrivals.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import type { Rng } from '../../core/rng.ts'
import { bytes, type Seconds, seconds } from '../../core/units.ts'
import type { Place } from '../../planner/placement.ts'
import { LanesEngine } from '../../runtime/cluster/lanes-engine.ts'
import { timeBlock } from '../../runtime/cluster/time-block.ts'
import { createDevice, type Device } from '../../runtime/device/device.ts'
import type { OwnerParts } from '../../runtime/device/owned-model.ts'
import { type SourceRunnerParts, sourceIdOf } from '../../runtime/device/source-runner.ts'
import { AttemptTokens } from '../../runtime/dispatch/attempt-tokens.ts'
import { portableHash } from '../../runtime/hash/portable-hash.ts'
import type { DeviceObserver } from '../../runtime/ports/device-observer.ts'
import type { Engine } from '../../runtime/ports/engine.ts'
import type { Random } from '../../runtime/ports/random.ts'
import { POLICIES } from '../../scheduler/policies.ts'
import { DeviceWatch } from './device-watch.ts'
import type { EventClock } from './event-clock.ts'
import type { LastCopyLaw } from './last-copy-law.ts'
import type { Laws } from './laws.ts'
import { type BlockDisk, createMemoryBlockStore } from './memory-block-store.ts'
import { MemoryEngine, type RunFault } from './memory-engine.ts'
import type { MemoryHub } from './memory-hub.ts'
import { memoryNames, type NamesDisk } from './memory-names.ts'
import { MemoryNetwork } from './memory-network.ts'
import { memorySigner } from './memory-signer.ts'
import { createSinkDisk, MemorySink } from './memory-sink.ts'
import { ProcessClock } from './process-clock.ts'
import { ResendLaw } from './resend-law.ts'
import type { SimulatedScenario, SimulatedSource } from './scenario.ts'
import { seededRandom } from './seeded-random.ts'
import { toyItems } from './toy-items.ts'
import { type ToyModel, tagOf, withoutLastBlock } from './toy-model.ts'
import { TAGS, toyPort } from './toy-port.ts'
import { WatchedGuard } from './watched-guard.ts'
import { WatchedRunner } from './watched-runner.ts'

export interface SimulatedDeviceParts {
  readonly index: number
  readonly scenario: SimulatedScenario
  /** By model, in all its versions. */
  readonly models: readonly (readonly ToyModel[])[]
  readonly hub: MemoryHub
  readonly clock: EventClock
  readonly rng: Rng
  readonly place: Place
  readonly laws: Laws
  /** Of all devices together. @default not looked at */
  readonly lastCopies?: LastCopyLaw
  readonly log: (text: string) => void
  /** Nothing is late by chance, and nothing takes time but blocks and wires: for comparison with the simulator. */
  readonly exact?: Exact
}

export interface Exact {
  /** Its sources may begin. */
  readonly ready: () => void
  /** They do. */
  readonly begun: Promise<Seconds>
  readonly observe: DeviceObserver
}

/** What is wrong with a device now. */
export interface Ailments {
  fails: number
  isStuck: number
  slowness: number
  sinkIsFull: number
  sinkIsSlow: number
  diskIsFull: number
  diskIsSlow: number
  itemsAreAway: number
  wallOffset: number
}

const LATENESS = 0.002
const PLANNING = 0.2
/** For whatever is asked of it. */
const SLOW_DISK = 2

interface Running {
  readonly device: Device
  readonly process: ProcessClock
  readonly network: MemoryNetwork
  readonly sink: MemorySink
  isDone: boolean
  isStopping: boolean
}

/** A machine with its disk: real `Device` objects run on it, one after the other. */
export class SimulatedDevice {
  readonly name: string
  readonly index: number
  readonly ails: Ailments = {
    fails: 0,
    isStuck: 0,
    slowness: 1,
    sinkIsFull: 0,
    sinkIsSlow: 0,
    diskIsFull: 0,
    diskIsSlow: 0,
    itemsAreAway: 0,
    wallOffset: 0
  }
  /** It is off, for a time or for good: nobody else is to start it. */
  isAway = false
  readonly sinkDisk = createSinkDisk()
  readonly #parts: SimulatedDeviceParts
  readonly #sources: readonly (SimulatedSource & { readonly number: number })[]
  #blocks: BlockDisk = new Map()
  #names: NamesDisk = { names: undefined }
  /** Of those that its sources have used. */
  #pins: NamesDisk = { names: undefined }
  #wipes = 0
  #starts = 0
  /** Of the models that it owns. */
  #version = 0
  /** It was given another model. */
  #hasMore = false
  /** Bytes of a block that is loaded to be timed. */
  #beingTimed = 0
  #running: Running | undefined

  constructor(parts: SimulatedDeviceParts) {
    this.#parts = parts
    this.index = parts.index
    this.name = parts.scenario.devices[parts.index]!.name
    this.ails.wallOffset = parts.scenario.devices[parts.index]!.wallOffset ?? 0
    this.#sources = parts.scenario.sources.flatMap((source, number) =>
      source.device === parts.index ? [{ ...source, number }] : []
    )
  }

  get id(): DeviceId {
    return deviceId(this.#wipes === 0 ? this.name : `${this.name}.${this.#wipes}`)
  }

  get isUp(): boolean {
    return this.#running !== undefined
  }

  get device(): Device | undefined {
    return this.#running?.device
  }

  /** Its sources have nothing left to do. */
  get isDone(): boolean {
    return this.#sources.length === 0 || this.#running?.isDone === true
  }

  hasSource(number: number): boolean {
    return this.#sources.some(source => source.number === number)
  }

  sourceId(number: number): string {
    return sourceIdOf(this.#parts.scenario.sources[number]!.name, this.name)
  }

  start(): void {
    if (this.#running !== undefined) return
    const { hub, clock, rng, laws, models, scenario, index, log, exact, lastCopies } = this.#parts
    const start = ++this.#starts
    const random = rng.fork(`${this.name} ${start}`)
    const byChance = exact === undefined ? 1 : 0
    const process = new ProcessClock(clock, () => byChance * LATENESS * random.next())
    const say = (text: string): void => {
      if (!process.isDead) log(`${this.name}: ${text}`)
    }
    const refuses = (): Error | undefined =>
      this.ails.diskIsFull > 0
        ? Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
        : undefined
    const turn = async (): Promise<void> => {
      if (this.ails.diskIsSlow > 0) await process.sleep(seconds(SLOW_DISK * random.next()))
    }
    const blobs = createMemoryBlockStore(this.#blocks, refuses, turn)
    const life = BigInt(1 + Math.floor(2 ** 50 * random.next()))
    // Drawn anew for the law, and the same: neither takes from the other.
    const chance = (): Random => seededRandom(rng.fork(`tokens of ${this.name} ${start}`))
    const law = new ResendLaw({
      clock: process,
      self: this.id,
      tokens: new AttemptTokens(chance(), portableHash),
      isExcused: () => this.#isExcused(),
      broken: what => laws.broken(`${this.name}: ${what}`)
    })
    const network: MemoryNetwork = new MemoryNetwork({
      hub,
      watch: new DeviceWatch({
        resend: law,
        clock: process,
        self: this.id,
        isConnected: device => network.peers().has(device),
        isStopping: () => this.#running?.isStopping === true,
        blocksOf: model => models.flat().find(({ manifest }) => manifest.id === model)?.blocks.length,
        broken: what => laws.broken(`${this.name}: ${what}`)
      }),
      self: this.id,
      life,
      process,
      blobs,
      failed: error => laws.broken(`${this.name}: a handler failed: ${stackOf(error)}`)
    })
    const { speed, memory, lanes = 1 } = scenario.devices[index]!
    let weighed = 0
    const oneLane = (): Engine =>
      new MemoryEngine({
        clock: process,
        speed,
        bytesAt: place => blobs.bytesAt(place),
        fault: (block, inputs) => this.#faultOf(block.model, block.block, tagOf(inputs[0]!)),
        slowness: () => this.ails.slowness * (1 + byChance * 0.1 * random.next()),
        runs: (hash, isLoaded) => {
          if (!isLoaded) laws.broken(`${this.name} is to compute block ${hash.slice(0, 12)}, which is not loaded there`)
        },
        isLoaded: hash => lastCopies?.loaded(this.name, hash),
        isUnloaded: hash => {
          const hasRoom = memory - weighed >= lanes * this.#largestBlock
          if (lastCopies?.unloaded(this.name, hash) === true && hasRoom && this.#keepsModels)
            laws.broken(`${this.name} drops the last copy of block ${hash.slice(0, 12)}`)
        },
        weighs: weight => {
          weighed = lanes * weight
          if (weighed > memory + lanes * this.#beingTimed)
            laws.broken(`${this.name} holds ${weighed} B of blocks, given were ${memory} B`)
        }
      })
    const engine = lanes === 1 ? oneLane() : new LanesEngine(Array.from({ length: lanes }, oneLane))
    const sink = new MemorySink({
      name: `sink of ${this.name}`,
      clock: process,
      disk: this.sinkDisk,
      delay: () => seconds(byChance * (this.ails.sinkIsSlow > 0 ? 0.5 : 0.001) * random.next()),
      pausesAt: () => random.next(),
      refuses: () => (this.ails.sinkIsFull > 0 ? 'ENOSPC: no space left on device' : undefined),
      duplicate: ({ source, datum }) => laws.broken(`${source} ${datum} is written a second time`)
    })
    const device = createDevice({
      name: this.name,
      clock: process,
      network,
      engine,
      blobs,
      random: chance(),
      hash: portableHash,
      signer: memorySigner(this.id),
      createPolicy: POLICIES[scenario.policy],
      place: async problem => {
        await process.sleep(seconds(byChance * PLANNING * random.next()))
        return this.#parts.place(problem)
      },
      memory: bytes(memory),
      emulated: false,
      ...(scenario.apart === undefined || scenario.apart.length === 0
        ? {}
        : { isLinked: (peer: DeviceId) => isLinked(scenario, index, peer) }),
      models: this.#owned().map(({ manifest: { name } }) => ({ name, file: name })),
      startWhen: scenario.startWhen,
      say: (text, level) => {
        say(text)
        if (level === 'error' && !process.isDead) laws.broken(`${this.name}: ${text}`)
      },
      event: ({ event }) => {
        if (event === 'ready') exact?.ready()
      },
      ...(exact === undefined ? {} : { begun: exact.begun, observe: exact.observe }),
      guard: new WatchedGuard({ clock: process, say }, what => {
        if (!process.isDead) laws.broken(`${this.name}: ${what}`)
      }),
      incarnation: start,
      residentMemory: () => bytes(0),
      prepareModel: ({ file }, parts) =>
        this.#prepare(this.#owned().find(({ manifest }) => manifest.name === file)!, parts),
      keptNames: memoryNames(this.#names),
      keptPins: memoryNames(this.#pins)
    })
    void device.failed.then(error => {
      if (!process.isDead) laws.broken(`${this.name} failed: ${stackOf(error)}`)
    })
    const running: Running = { device, process, network, sink, isDone: false, isStopping: false }
    this.#running = running
    for (const source of this.#sources) void device.addSource(this.#runnerOf(source, device, sink, process, say, law))
    log(`${this.name} starts as ${this.id}`)
    device
      .start()
      .then(() => device.sourcesDone())
      .then(
        () => {
          if (!running.isStopping) running.isDone = true
        },
        error => {
          if (!running.isStopping && !process.isDead) laws.broken(`${this.name} ended: ${stackOf(error)}`)
        }
      )
  }

  /** @param isTold its operating system closes its connections @param wipes its disk, but for what sinks have, goes too */
  kill(isTold: boolean, wipes: boolean): void {
    const running = this.#running
    if (running === undefined) return
    running.process.kill()
    running.network.die(isTold)
    this.#gone(wipes)
  }

  /** As Ctrl-C does. */
  async leave(wipes: boolean): Promise<void> {
    const running = this.#running
    if (running === undefined || running.isStopping) return
    running.isStopping = true
    await running.device.stop()
    await running.sink.stop()
    if (this.#running !== running) return
    running.process.kill()
    this.#gone(wipes)
  }

  #gone(wipes: boolean): void {
    const { id } = this
    this.#running = undefined
    if (wipes) {
      this.#blocks = new Map()
      this.#names = { names: undefined }
      this.#pins = { names: undefined }
      this.#wipes++
    }
    this.#parts.hub.processChanged(id)
  }

  /** From its next start on. */
  swapModels(): void {
    this.#version = 1 - this.#version
  }

  /** It has one more from now on, of the blocks of its first. */
  addModel(): void {
    if (this.#hasMore) return
    this.#hasMore = true
    const { name } = this.#owned().at(-1)!.manifest
    const running = this.#running
    running?.device.addModel({ name, file: name }).catch(error => {
      if (!running.process.isDead && !running.isStopping) this.#parts.laws.broken(`${name}: ${stackOf(error)}`)
    })
  }

  #owned(): readonly ToyModel[] {
    const { index, scenario, models } = this.#parts
    const owned = models.flatMap((versions, m) =>
      scenario.models[m]!.owners.includes(index) ? [versions[this.#version]!] : []
    )
    return this.#hasMore ? [...owned, withoutLastBlock(owned[0]!)] : owned
  }

  /** What it made itself was on its disk before this began, and what it was given later it times. */
  async #prepare(model: ToyModel, { engine, blobs, say }: OwnerParts): Promise<ModelManifest> {
    const { manifest, files } = model
    for (const [k, { sha256 }] of manifest.blocks.entries()) this.#blocks.set(sha256, files[k]!)
    if (!this.#hasMore || model.manifest.id !== this.#owned().at(-1)!.manifest.id) return manifest
    this.#beingTimed = Math.max(...model.blocks.map(({ weight }) => weight))
    for (const [k, { sha256 }] of manifest.blocks.entries())
      await timeBlock(engine, sha256, (await blobs.find(sha256))!, manifest.activations[k]!.tensors, say)
    this.#beingTimed = 0
    return manifest
  }

  hang(): (() => void) | undefined {
    const process = this.#running?.process
    if (process === undefined) return undefined
    process.hang()
    this.#parts.hub.processChanged(this.id)
    return () => {
      if (process.isDead) return
      this.#parts.hub.processChanged(this.id)
      process.goOn()
      this.#parts.hub.processChanged(this.id)
    }
  }

  #faultOf(model: string, block: number, tag: number): RunFault {
    if (this.ails.isStuck > 0) return 'isStuck'
    if (this.ails.fails > 0) return 'fails'
    const source = this.#parts.scenario.sources[Math.floor(tag / TAGS)]
    const isPoison = source?.poison.includes(tag % TAGS) === true && block === tag % 2
    return isPoison && model.startsWith('net') ? 'fails' : undefined
  }

  #runnerOf(
    source: SimulatedSource & { readonly number: number },
    device: Device,
    sink: MemorySink,
    process: ProcessClock,
    say: (text: string) => void,
    law: ResendLaw
  ): WatchedRunner {
    const { models, rng } = this.#parts
    const id = this.sourceId(source.number)
    const runner: SourceRunnerParts = {
      spec: {
        name: source.name,
        model: models[source.model]![0]!.manifest.name,
        window: source.window,
        arrivals: source.arrivals,
        ...(source.terms === undefined ? {} : { admission: source.terms }),
        weight: source.weight,
        start: seconds(0),
        patience: seconds(30)
      },
      deviceName: this.name,
      clock: process,
      wallTime: () => seconds(1.7e9 + process.now() + this.ails.wallOffset),
      view: device.view,
      sink,
      openItems: async () => {
        await sink.opened
        return toyItems(source.count, sink.recorded(id))
      },
      createPort: manifest =>
        toyPort(models.flat().find(model => model.manifest.id === manifest.id)!, {
          ...{ source: source.number, bad: source.bad },
          isAway: () => this.ails.itemsAreAway > 0
        }),
      availableAt: createArrivals(source.arrivals, rng.fork(`arrivals of ${source.name}`)),
      breaker: device.breaker,
      submit: device.submit,
      isHere: device.isHere,
      setAside: device.setAside,
      full: device.full,
      cancel: device.cancel,
      stretch: device.stretch,
      observe: device.observer,
      tracer: device.tracer,
      say
    }
    return new WatchedRunner(runner, law)
  }

  get #largestBlock(): number {
    return Math.max(...this.#parts.models.flat().flatMap(({ blocks }) => blocks.map(({ weight }) => weight)))
  }

  /** Nobody lets go of a block because its model is gone, or because it does not end. */
  get #keepsModels(): boolean {
    return !this.#parts.scenario.faults.some(({ kind }) => kind === 'swap' || kind === 'model' || kind === 'stick')
  }

  /** It may have no item, or no model, to send anything again with, or be about to end. */
  #isExcused(): boolean {
    const { faults } = this.#parts.scenario
    return this.#running?.isStopping !== false || faults.some(({ kind }) => kind === 'itemsAway' || kind === 'swap')
  }
}

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))

/** Whatever the other's disk, and so its id, is by now. */
const isLinked = ({ devices, apart = [] }: SimulatedScenario, a: number, peer: DeviceId): boolean => {
  const b = devices.findIndex(({ name }) => name === peer.split('.')[0])
  return !apart.some(([one, other]) => (one === a && other === b) || (one === b && other === a))
}
