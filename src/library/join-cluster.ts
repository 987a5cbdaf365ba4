import { z } from 'zod'
import { checkedOptions } from '../core/checked-options.ts'
import { bytes, type Seconds, seconds } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'
import { EmulatedEngine } from '../emulation/emulated-engine.ts'
import type { DeviceLog } from '../node/device-log.ts'
import { type OpenedDevice, openDevice } from '../node/open-device.ts'
import { openLanes } from '../node/open-lanes.ts'
import { createProviderEngine } from '../runtime/engine/providers/create-provider-engine.ts'
import { DEFAULT_PORT } from '../runtime/network/default-port.ts'
import type { Engine } from '../runtime/ports/engine.ts'
import { type StateFolder, stateFolderOf } from '../runtime/state/state-folder.ts'
import { systemClock } from '../runtime/system-clock.ts'
import type { Serving } from '../serving/open-serving.ts'
import type { Tracing } from '../telemetry/open-tracing.ts'
import { type CheckedOptions, checkJoinOptions, checkModelOptions } from './check-join-options.ts'
import { checkSourceOptions } from './check-source-options.ts'
import { type ClusterEvents, EventHub, type EventName, type OtherDevice } from './cluster-events.ts'
import type { ClusterStatus } from './cluster-status.ts'
import type { JoinOptions, ModelOptions } from './join-options.ts'
import { openLibraryServing } from './open-library-serving.ts'
import { openLibraryTracing } from './open-library-tracing.ts'
import { ownedModel } from './owned-model.ts'
import type { IterableSource, SendingSource } from './source.ts'
import type { IterableSourceOptions, SendingSourceOptions } from './source-options.ts'
import { Sources } from './sources.ts'

/** A device in its cluster, run by the program that joined. */
export interface Cluster extends AsyncDisposable {
  /** By which the others know this device. */
  readonly id: string
  /** What the others call this device; another may have the same name. */
  readonly name: string
  /** Where others can reach it: multiaddrs. */
  addresses(): readonly string[]
  /** Where other programs are answered: an address for each way. Undefined where nobody is. */
  readonly serving: { readonly http?: string; readonly grpc?: string } | undefined
  /**
   * What another device joins with. Whoever has it is in: treat it as a password.
   * @param terms `for` the device of this name only, for `lasts` seconds (default: a day), `once`
   * @throws UserError `mayNotAdmit` where this device does not hold the cluster's key: it was invited itself
   */
  invite(terms?: { readonly for?: string; readonly lasts?: number; readonly once?: boolean }): string
  /**
   * Data that this program has: an iterable, whose outcomes are read from the source; or, without `items`, data that are sent
   * one by one, each with a promise of its outcome. A tensor is `{ dims, data }`: as the model's input declares it, or without its
   * leading 1. The name is free again when the source has ended.
   * @throws UserError `badOption`, `nameTaken`, or `stopped` after `stop`
   */
  addSource(options: IterableSourceOptions): Promise<IterableSource>
  addSource(options: SendingSourceOptions): Promise<SendingSource>
  /**
   * Own a model from now on: it is cut here and placed anew with the others. Resolves when it is cut.
   * @throws UserError `badOption`, `nameTaken`, `badModel` (`file`), `badShape` (`input`), `badCut` (`tensor`), or `stopped`
   */
  addModel(model: ModelOptions): Promise<void>
  /** Own it no longer: it leaves the cluster unless another device owns it. @returns false when this device has none of that name */
  removeModel(name: string): Promise<boolean>
  /** The whole cluster, as this device knows it: seconds, bytes, results per second. A datum whose outcome was told is not in flight. */
  status(): ClusterStatus
  /**
   * Hear of what happens, by name: `log`, `ready`, `deviceJoined`, `deviceLeft`, `failed`, `stopped`. What a listener throws is
   * told in the log.
   * @returns how to stop listening @throws UserError `badOption` where there is no such event
   */
  on<E extends EventName>(event: E, listener: (event: ClusterEvents[E]) => void): () => void
  /**
   * Leave: sources end, what is queued here is finished, the others are told. Idempotent.
   * @param options.patience seconds for what is queued @default 5
   * @throws UserError `badOption`
   */
  stop(options?: { readonly patience?: number }): Promise<void>
}

/**
 * Start a device in this process and join a cluster with it, or begin one. Resolves when the device's own models are cut and it
 * listens; it goes on to find the others, and computes what is placed on it.
 * @throws UserError with a `code`: `badOption`, `badPolicy`, `badAddress`, `badInvite`, `nameTaken` for two models of one name,
 *   `stateInUse`, `stateRefused`, `removed`, `portInUse`, `noFreePort`, `cannotListen`, `keyMissing`, `keyLost`, `invitesDiffer`, `otherCluster`,
 *   `badModel`, `badShape`, `badCut`, `packageMissing`; the reason of `options.signal`
 */
export const joinCluster = async (options: JoinOptions = {}): Promise<Cluster> => {
  const checked = checkJoinOptions(options)
  const events = new EventHub()
  if (checked.log !== undefined) events.on('log', checked.log)
  const log = logTo(events)
  const folder = stateFolderOf(checked.name, checked.state)
  const { lanes, threads, speed, provider, providerOptions: providerSettings } = checked
  const open = (threads: number): Engine => {
    const tellsOwn = speed !== undefined
    const own = createProviderEngine({ threads, tellsOwn }, { provider, providerSettings, say: log.say })
    return speed === undefined ? own : new EmulatedEngine(own, systemClock, { speed })
  }
  const engine = openLanes({ lanes, threads, open, say: log.say })
  let tracing: Tracing | undefined
  let opened: OpenedDevice
  try {
    tracing = await openLibraryTracing(checked, log)
    const { spans } = tracing ?? {}
    opened = await openDevice(
      { ...deviceOptions(checked, folder), engine, observe: spans?.observer, tracer: spans },
      log
    )
  } catch (error) {
    await tracing?.[Symbol.asyncDispose]()
    await engine.stop()
    throw error
  }
  let serving: Serving | undefined
  try {
    const start = { isOver: false }
    serving = await openLibraryServing(checked, {
      folder,
      opened,
      log,
      tracer: tracing?.spans,
      hasStarted: () => start.isOver
    })
    await startDevice(opened, checked.signal)
    start.isOver = true
  } catch (error) {
    await serving?.stop()
    await opened[Symbol.asyncDispose]()
    await tracing?.[Symbol.asyncDispose]()
    throw error
  }
  return new JoinedCluster({ name: checked.name, folder, opened, events, log, serving, tracing })
}

/** @throws the signal's reason when it aborts */
const startDevice = async ({ device, cluster }: OpenedDevice, signal: AbortSignal | undefined): Promise<void> => {
  signal?.throwIfAborted()
  const abort = (): void => void device.stop({ patience: seconds(0) })
  signal?.addEventListener('abort', abort)
  try {
    await device.start()
    await cluster.announce()
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : error
  } finally {
    signal?.removeEventListener('abort', abort)
  }
  signal?.throwIfAborted()
}

const deviceOptions = (checked: CheckedOptions, folder: StateFolder) => {
  const {
    name,
    join,
    clusterKey,
    listen,
    mdns,
    memory,
    speed,
    policy,
    activationEncoding,
    audit,
    models,
    accepts,
    startWhen
  } = checked
  return {
    ...{ name, folder, clusterKey, listen, mdns, activationEncoding, audit, accepts, startWhen },
    ...{ port: DEFAULT_PORT, anyPort: true },
    join: async () => join,
    memory: memory ?? bytes(Number.POSITIVE_INFINITY),
    emulated: speed !== undefined,
    createPolicy: policy,
    models: models.map(model => ownedModel(model, folder))
  }
}

/** The device's own words and events as this package's. */
const logTo = (events: EventHub): DeviceLog => ({
  say: (text, level = 'info') => events.emit('log', { level, text }),
  event: ({ event, ...facts }) => {
    if (event === 'ready') events.emit('ready', {})
    if (event === 'deviceJoined') events.emit('deviceJoined', facts as unknown as OtherDevice)
    if (event === 'deviceLeft') events.emit('deviceLeft', facts as unknown as ClusterEvents['deviceLeft'])
  }
})

/** Seconds. */
const stopSchema = z.strictObject({ patience: z.number().min(0).default(5) })

interface JoinedParts {
  readonly name: string
  readonly folder: StateFolder
  readonly opened: OpenedDevice
  readonly events: EventHub
  readonly log: DeviceLog
  readonly serving: Serving | undefined
  readonly tracing: Tracing | undefined
}

class JoinedCluster implements Cluster {
  readonly id: string
  readonly name: string
  readonly #folder: StateFolder
  readonly #opened: OpenedDevice
  readonly #events: EventHub
  readonly #sources: Sources
  readonly #serving: Serving | undefined
  readonly #tracing: Tracing | undefined
  #stopped: Promise<void> | undefined

  constructor({ name, folder, opened, events, log: { say }, serving, tracing }: JoinedParts) {
    this.name = name
    this.#tracing = tracing
    this.#serving = serving
    this.#folder = folder
    this.id = opened.cluster.network.self
    this.#opened = opened
    this.#events = events
    this.#sources = new Sources({ device: opened.device, deviceName: name, life: opened.incarnation, say })
    void Promise.race([opened.device.failed, opened.cluster.shut]).then(({ message: because }) => {
      events.emit('failed', { because })
      return this.stop({ patience: 0 })
    })
  }

  get serving(): Cluster['serving'] {
    return this.#serving?.addresses()
  }

  addresses(): readonly string[] {
    return this.#opened.cluster.network.addresses()
  }

  invite({
    for: name,
    lasts,
    once
  }: {
    readonly for?: string
    readonly lasts?: number
    readonly once?: boolean
  } = {}): string {
    return this.#opened.cluster.invite({ name, once, lasts: lasts === undefined ? undefined : seconds(lasts) })
  }

  addSource(options: IterableSourceOptions): Promise<IterableSource>
  addSource(options: SendingSourceOptions): Promise<SendingSource>
  async addSource(options: IterableSourceOptions | SendingSourceOptions): Promise<IterableSource | SendingSource> {
    const checked = checkSourceOptions(options)
    this.#requireRunning()
    return checked.items === undefined ? this.#sources.addSending(checked) : this.#sources.addIterable(checked)
  }

  async addModel(model: ModelOptions): Promise<void> {
    const owned = ownedModel(checkModelOptions(model), this.#folder)
    this.#requireRunning()
    await this.#opened.device.addModel(owned)
  }

  async removeModel(name: string): Promise<boolean> {
    return this.#opened.device.removeModel(name)
  }

  status(): ClusterStatus {
    return this.#opened.device.status()
  }

  on<E extends EventName>(event: E, listener: (event: ClusterEvents[E]) => void): () => void {
    return this.#events.on(event, listener)
  }

  async stop(options: { readonly patience?: number } = {}): Promise<void> {
    const { patience } = checkedOptions(stopSchema, options, 'stop')
    this.#stopped ??= this.#shutDown(seconds(patience))
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #requireRunning(): void {
    if (this.#stopped !== undefined) throw new UserError(`${this.name} has stopped; join again`, { code: 'stopped' })
  }

  async #shutDown(patience: Seconds): Promise<void> {
    try {
      await this.#serving?.stop(patience)
      await this.#sources.stop()
      await this.#opened.device.stop({ patience })
    } finally {
      await this.#opened[Symbol.asyncDispose]()
      await this.#tracing?.[Symbol.asyncDispose]()
      this.#events.emit('stopped', {})
    }
  }
}
