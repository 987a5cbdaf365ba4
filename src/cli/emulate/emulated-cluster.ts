import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { EncodingChoice } from '../../core/activation-encoding.ts'
import type { Clock } from '../../core/clock.ts'
import type { Scenario, SourceFiles } from '../../core/scenario.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { NoAnswerError } from '../../core/user-error.ts'
import { type ClusterKey, createClusterKey, writeClusterKey } from '../../runtime/network/cluster-key.ts'
import { loadOrCreateIdentity } from '../../runtime/network/identity.ts'
import { PRIVATE_FOLDER } from '../../runtime/state/privacy.ts'
import { stateFolderOf } from '../../runtime/state/state-folder.ts'
import { type DeviceProcess, type NodeEvent, startDevice } from '../demo/device-process.ts'
import type { NodeOrder } from '../node/take-orders.ts'
import type { Footing, LinkChange } from './footing.ts'
import { sourceFlag } from './source-flag.ts'

/** A model's file, and where it is to be cut; empty: where it is best. */
export interface EmulatedModel {
  readonly name: string
  readonly file: string
  readonly tensors: readonly string[]
  readonly shapes: readonly string[]
  readonly maxBlocks: number
  /** Of each block at speed 1: so long it takes, divided by a device's speed. */
  readonly work: readonly Seconds[]
  /** By device: what each block takes there at the speed that it begins with; undefined: work / speed. */
  readonly times?: readonly (readonly Seconds[] | undefined)[] | undefined
  readonly pinned?: boolean | undefined
}

export interface EmulatedClusterOptions {
  readonly scenario: Scenario
  readonly models: readonly EmulatedModel[]
  readonly policy: string
  readonly seed: number
  /** State, sinks and logs go there. */
  readonly folder: string
  readonly footing: Footing
  /** Devices tell what they do, each in a file. */
  readonly isTraced: boolean
  /** For more than some minutes. @default false */
  readonly livesLong?: boolean | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
  /** False: costs, rates and placement stay as they are when the run begins. */
  readonly adapts: boolean
  readonly activationEncoding: EncodingChoice
  readonly onEvent: (device: number, event: NodeEvent) => void
}

/** How long devices may take to start, share blocks and load them. */
const START_PATIENCE: Seconds = seconds(120)

const stateOf = (folder: string, device: string): string => join(folder, `${device}.state`)

/**
 * Made before the device starts: its identity, so that all know each other's links from the first moment, and the key of
 * the one cluster, whoever of them is there first. @returns its id
 */
const prepareState = async (device: string, state: string, key: ClusterKey): Promise<string> => {
  await mkdir(state, { recursive: true, mode: PRIVATE_FOLDER })
  await writeClusterKey(stateFolderOf(device, state).keyFile, key)
  return peerIdFromPrivateKey(await loadOrCreateIdentity(state)).toString()
}

const readingFlags = (files: SourceFiles | undefined): string[] => {
  if (files === undefined) return []
  return 'preset' in files.reading ? ['--preset', files.reading.preset] : ['--io', files.reading.ioFile]
}

/** The devices of a scenario, each a process, connected to each other on this machine. */
export class EmulatedCluster implements AsyncDisposable {
  readonly #options: EmulatedClusterOptions
  readonly #devices = new Map<number, DeviceProcess>()
  /** Processes that were told to go: who drains its queues takes seconds, and holds its state until then. */
  readonly #leaving = new Map<number, { readonly device: DeviceProcess; readonly gone: Promise<void> }>()
  /** Devices that are there, or will be as soon as their earlier process is gone. */
  readonly #wanted = new Set<number>()
  readonly #said = new Map<string, (event: NodeEvent) => void>()
  readonly #closed = new AbortController()
  #ids: readonly string[] = []
  #absent: ReadonlySet<number> = new Set()
  #begunAt: Seconds | undefined
  /** Of the devices that listen now. */
  readonly #addresses = new Map<number, readonly string[]>()
  #lives = 0

  constructor(options: EmulatedClusterOptions) {
    this.#options = options
  }

  static sinkOf(folder: string, device: string): string {
    return join(folder, `${device}.jsonl`)
  }

  static traceOf(folder: string, device: string): string {
    return join(folder, `${device}.trace.jsonl`)
  }

  /** Start all that are there from the beginning, if any; resolves when each of them is ready. */
  async start(absent: ReadonlySet<number>): Promise<void> {
    const { scenario, folder } = this.#options
    this.#absent = absent
    const key = createClusterKey()
    this.#ids = await Promise.all(scenario.devices.map(({ name }) => prepareState(name, stateOf(folder, name), key)))
    const present = [...scenario.devices.keys()].filter(n => !absent.has(n))
    const ready = present.map(n => this.#first(n, 'ready'))
    for (const n of present) this.#start(n, present.length)
    await this.#orEnd(Promise.all(ready))
  }

  /** All sources start together. */
  begin(): void {
    this.#begunAt = this.#options.clock.now()
    for (const device of this.#devices.values()) this.#begin(device, 0)
  }

  #begin(device: DeviceProcess, ago: number): void {
    device.order({ start: ago })
    if (!this.#options.adapts) device.order({ adapt: false })
  }

  /** Start a device in mid-run, once its earlier process is gone; it may have left again by then. */
  async join(n: number): Promise<void> {
    this.#wanted.add(n)
    for (let leaving = this.#leaving.get(n); leaving !== undefined; leaving = this.#leaving.get(n)) {
      await leaving.gone
      if (this.#leaving.get(n) === leaving) this.#leaving.delete(n)
    }
    if (this.#wanted.has(n) && !this.#devices.has(n) && !this.#closed.signal.aborted) this.#start(n, 1)
  }

  /** Whether the device runs, or will as soon as its earlier process is gone. */
  isThere(n: number): boolean {
    return this.#wanted.has(n)
  }

  /** kill -9, also of one that is about to stop. */
  kill(n: number): void {
    this.#leaving.get(n)?.device.kill()
    this.#part(n, async device => {
      device.kill()
      await device.ended
    })
  }

  /** Tell it to stop; it says goodbye and ends in its own time. */
  leave(n: number): void {
    this.#part(n, device => device.stop())
  }

  #part(n: number, how: (device: DeviceProcess) => Promise<void>): void {
    this.#wanted.delete(n)
    const device = this.#devices.get(n)
    if (device === undefined) return
    this.#devices.delete(n)
    this.#addresses.delete(n)
    this.#leaving.set(n, { device, gone: how(device) })
  }

  slow(n: number, speed: number): Promise<void> {
    return this.#options.footing.slow(n, speed, order => this.#order(n, order))
  }

  relink(from: number, to: number, change: LinkChange): Promise<void> {
    return this.#options.footing.relink(from, to, change, this.#ids[to]!, order => this.#order(from, order))
  }

  #order(n: number, order: NodeOrder): void {
    this.#devices.get(n)?.order(order)
  }

  /** Rejects when a device ends that nobody asked to. */
  async failure(): Promise<never> {
    return this.#orEnd(new Promise<never>(() => {}), seconds(1e6))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error('the emulation is over'))
    const all = [...this.#devices.values()]
    this.#devices.clear()
    await Promise.all([...all.map(device => device.stop()), ...[...this.#leaving.values()].map(({ gone }) => gone)])
  }

  #first(n: number, name: string): Promise<NodeEvent> {
    return new Promise(resolve => this.#said.set(`${n} ${name}`, resolve))
  }

  #start(n: number, together: number): void {
    const { scenario, folder, clock, onEvent, footing, livesLong } = this.#options
    const { name } = scenario.devices[n]!
    const device = startDevice({
      name,
      livesLong,
      launcher: footing.launcher(n),
      flags: this.#flags(n, together),
      logFile: join(folder, `${name}.log`),
      clock,
      onEvent: event => {
        if (event.event === 'listening') this.#introduce(n, device, event['addresses'] as readonly string[])
        onEvent(n, event)
        this.#said.get(`${n} ${event.event}`)?.(event)
        if (event.event === 'ready' && this.#begunAt !== undefined) this.#begin(device, clock.now() - this.#begunAt)
      }
    })
    // Whoever comes later must not plan for the others before it is told to begin.
    if (this.#begunAt !== undefined && !this.#options.adapts) device.order({ adapt: false })
    this.#devices.set(n, device)
    this.#wanted.add(n)
    this.#lives++
  }

  /** Of two devices the one that listens later is told where the other is: they meet whenever they start. */
  #introduce(n: number, device: DeviceProcess, addresses: readonly string[]): void {
    if (this.#devices.get(n) !== device) return // told to go meanwhile
    for (const join of [...this.#addresses.values()].flat()) device.order({ join })
    this.#addresses.set(n, addresses)
  }

  #flags(n: number, together: number): string[] {
    const { scenario, policy, seed, folder, models, isTraced, activationEncoding, footing } = this.#options
    const { name, memory, speed, lanes = 1 } = scenario.devices[n]!
    const own = scenario.sources.filter(({ device }) => device === n)
    const owned = models.filter((_, m) => this.#ownerOf(m) === n)
    return [
      ...['--no-mdns', '--state', stateOf(folder, name)],
      ...['--threads', '1', '--lanes', String(lanes), '--policy', policy, '--seed', String(seed)],
      ...['--activation-encoding', activationEncoding],
      ...['--json-events', '--exit-with-parent', '--controlled', '--start-when', String(together)],
      ...(isTraced ? ['--trace', EmulatedCluster.traceOf(folder, name)] : []),
      ...(memory === Number.POSITIVE_INFINITY ? [] : ['--memory', `${Math.floor(memory)}B`]),
      ...footing.flags(n, this.#ids),
      ...models.flatMap(({ name: model, times }) =>
        times?.[n] === undefined ? [] : ['--times', `${model}=${times[n].map(time => `${time * speed}s`).join(',')}`]
      ),
      ...owned.flatMap(({ name: model, file, tensors, maxBlocks, work, pinned }) => [
        ...['--model', `${file}:${model}`, '--blocks', `${model}=${maxBlocks}`],
        ...(tensors.length === 0 ? [] : ['--cut-at', `${model}=${tensors.join(',')}`]),
        ...['--work', `${model}=${work.map(time => `${time}s`).join(',')}`],
        ...(pinned === true ? ['--pinned', model] : [])
      ]),
      ...models
        .filter((model, m) => owned.includes(model) || own.some(source => source.model === m))
        .flatMap(({ name: model, shapes }) => shapes.flatMap(shape => ['--shape', `${model}:${shape}`])),
      ...own.flatMap(source => ['--source', sourceFlag(source, scenario.models[source.model]!.name)]),
      // All sources of a device read in one way: the command has looked.
      ...readingFlags(own.find(({ files }) => files !== undefined)?.files),
      ...(own.length === 0 ? [] : ['--sink', EmulatedCluster.sinkOf(folder, name)])
    ]
  }

  /** Gives a model to the others: the device of its first source that is there from the beginning. */
  #ownerOf(model: number): number | undefined {
    const devices = this.#options.scenario.sources.filter(source => source.model === model).map(({ device }) => device)
    return devices.find(device => !this.#absent.has(device)) ?? devices[0]
  }

  /** `what`, unless a device ends that nobody asked to, it takes too long, or the signal aborts. */
  async #orEnd<T>(what: Promise<T>, patience = START_PATIENCE): Promise<T> {
    const { clock, signal, folder } = this.#options
    const over = new AbortController()
    const ends = AbortSignal.any([over.signal, this.#closed.signal])
    const watch = async (): Promise<never> => {
      for (;;) {
        const lives = this.#lives
        for (const device of this.#devices.values()) {
          void device.ended.then(how => {
            if (!device.expectedToEnd())
              died.reject(
                new NoAnswerError(`${device.name} ended by itself (${how}). Its last words:\n${device.lastWords(12)}`)
              )
          })
        }
        while (lives === this.#lives) await clock.sleep(seconds(0.2), { signal: ends })
      }
    }
    const died = Promise.withResolvers<never>()
    const late = clock.sleep(patience, { signal: AbortSignal.any([signal, ends]) }).then(() => {
      const words = [...this.#devices.values()].map(device => `${device.name}:\n${device.lastWords(4)}`)
      throw new NoAnswerError(`the devices took longer than ${patience} s (logs in ${folder}):\n${words.join('\n')}`)
    })
    const watching = watch()
    try {
      return await Promise.race([what, late, died.promise, watching])
    } finally {
      over.abort()
      for (const pending of [late, died.promise, watching]) pending.catch(() => {})
    }
  }
}
