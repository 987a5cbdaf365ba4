import { join } from 'node:path'
import type { EncodingChoice } from '../core/activation-encoding.ts'
import type { DeviceId } from '../core/ids.ts'
import { JobGuard } from '../core/job-guard.ts'
import type { ModelManifest } from '../core/manifest.ts'
import { stopOnce } from '../core/stop-once.ts'
import { type Bytes, bytes, type Seconds, seconds } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'
import { createDevice, type Device } from '../runtime/device/device.ts'
import type { OwnerParts } from '../runtime/device/owned-model.ts'
import { createBlobStore } from '../runtime/network/disk-blob-store.ts'
import { nodeHash } from '../runtime/node-hash.ts'
import { nodeRandom } from '../runtime/node-random.ts'
import type { OnnxModel } from '../runtime/onnx/onnx-model.ts'
import { foreseeApart } from '../runtime/planning/foresee-apart.ts'
import { placeApart } from '../runtime/planning/place-apart.ts'
import { SparePlanner } from '../runtime/planning/spare-planner.ts'
import type { DataTracer } from '../runtime/ports/data-tracer.ts'
import type { DeviceObserver } from '../runtime/ports/device-observer.ts'
import type { Engine } from '../runtime/ports/engine.ts'
import type { Network } from '../runtime/ports/network.ts'
import { type HeldFile, lockFile } from '../runtime/sink/lock-file.ts'
import { takeModelOrder } from '../runtime/state/model-order.ts'
import { namesFile } from '../runtime/state/names-file.ts'
import { onStateDisk } from '../runtime/state/on-state-disk.ts'
import { PRIVATE_FILE, tighten } from '../runtime/state/privacy.ts'
import { nextIncarnation, openStateFolder, type StateFolder } from '../runtime/state/state-folder.ts'
import { systemClock, wallTime } from '../runtime/system-clock.ts'
import type { CreatePolicy } from '../scheduler/policy.ts'
import type { DeviceLog } from './device-log.ts'
import { type Cluster, type ClusterOptions, openCluster } from './open-cluster.ts'
import { PeerNames } from './peer-names.ts'
import { plainLog } from './plain-log.ts'

/** What a device on Node is made of, whoever asks for it: the command line, or a program that imports this package. */
export interface OpenDeviceOptions extends ClusterOptions {
  readonly folder: StateFolder
  readonly engine: Engine
  readonly createPolicy: CreatePolicy
  /** For blocks; Infinity where it is not limited. */
  readonly memory: Bytes
  readonly models: readonly OnnxModel[]
  /** Numbers that are said of this device are not those of a real one. @default false */
  readonly emulated?: boolean
  readonly declaresWork?: boolean
  readonly ownTimes?: ReadonlyMap<string, readonly Seconds[]>
  readonly activationEncoding?: EncodingChoice
  /** Of the data of its sources, this share is computed a second time. @default 0 */
  readonly audit?: number
  /** What the device sees of the network, instead of the network itself. @param said what a peer calls itself */
  readonly decorate?: (network: Network, said: (peer: DeviceId) => string | undefined) => Network
  /** Sources wait for it; resolves with how long ago the run began. */
  readonly begun?: Promise<Seconds>
  readonly startWhen?: number
  readonly keepModels?: Seconds
  readonly observe?: DeviceObserver | undefined
  /** What names of models mean here and nothing else: `name@fingerprint`. @default what they meant when they were first used */
  readonly accepts?: readonly string[]
  readonly tracer?: DataTracer | undefined
  /** Reads anew what this device is to have; of a command on this machine. @returns what has changed, as JSON */
  readonly reload?: () => Promise<string>
  /** Plans for the others where it is its turn. @default true */
  readonly plans?: boolean
  /** Stops the device as whoever runs it would: others may ask for it. @default nobody can */
  readonly leave?: () => void
  /** Told again and again while nothing has happened for a while. @default nobody is */
  readonly rested?: () => void
  /** What is wrong that only whoever asks for the device knows, in words. @default nothing */
  readonly troubles?: () => readonly string[]
}

/** A device with its way into its cluster; nothing has started. Disposed: all of it is stopped, in order, and its state is free. */
export interface OpenedDevice extends AsyncDisposable {
  readonly device: Device
  readonly cluster: Cluster
  /** What happens by time in it; told once of what fails. */
  readonly guard: JobGuard
  /** How often a device has been started with this state, this time included. */
  readonly incarnation: number
}

/**
 * Take the state folder, open the network, put the device together.
 * @throws UserError where the state is in use or refused, the port is taken, the key is missing
 */
export const openDevice = async (options: OpenDeviceOptions, given: DeviceLog): Promise<OpenedDevice> => {
  const log = plainLog(given)
  const held = await takeState(options, log)
  try {
    return await openWith(held, options, log)
  } catch (error) {
    await held[Symbol.asyncDispose]()
    throw error
  }
}

/** Only an owner needs what reads and cuts models. */
const cutFromFile = async (model: OnnxModel, parts: OwnerParts): Promise<ModelManifest> => {
  const { prepareOwnedModel } = await import('../runtime/onnx/prepare-owned-model.ts')
  return prepareOwnedModel(model, parts)
}

/** A second process with this identity would take the first one's place in the cluster. */
const takeState = async ({ folder, name }: OpenDeviceOptions, log: DeviceLog): Promise<HeldFile> => {
  await openStateFolder(folder, (text, level) => log.say(text, level))
  const lock = join(folder.path, 'device.lock')
  const held = await onStateDisk(folder.path, () => lockFile(lock, folder.path)).catch(error => {
    if (!(error instanceof UserError) || error.code !== 'inUse') throw error
    throw new UserError(error.message, { code: 'stateInUse', facts: { folder: folder.path, name }, cause: error })
  })
  await tighten(lock, PRIVATE_FILE)
  if (held.lock.kind === 'noLocks')
    log.say(`${folder.path}: ${held.lock.because}, so a second device is not kept out of it`, 'warn')
  return held
}

const openWith = async (held: HeldFile, options: OpenDeviceOptions, log: DeviceLog): Promise<OpenedDevice> => {
  const { folder, decorate = (network: Network) => network, troubles } = options
  const say: DeviceLog['say'] = (text, level, facts) => log.say(text, level, facts)
  const guard = new JobGuard({ clock: systemClock, say })
  const blobs = createBlobStore({ folder: folder.blobs })
  const names = new PeerNames()
  const planner = new SparePlanner()
  const cluster = await openCluster({ options, folder, log, blobs, names, guard })
  try {
    const incarnation = await nextIncarnation(folder)
    const device: Device = createDevice({
      ...options,
      clock: systemClock,
      network: decorate(cluster.network, peer => names.said(peer)),
      blobs,
      random: nodeRandom,
      hash: nodeHash,
      signer: cluster.signer,
      wallTime,
      guard,
      emulated: options.emulated ?? false,
      ...(options.plans === false
        ? {}
        : { place: placeApart(say, undefined, planner), expectProblem: () => planner.expect() }),
      foresee: foreseeApart,
      prepareModel: cutFromFile,
      keptNames: namesFile(folder.models),
      keptPins: namesFile(folder.models, 'pins.json'),
      residentMemory: () => bytes(process.memoryUsage.rss()),
      takeOrder: token => takeModelOrder(folder.path, token),
      troubles: () => [...cluster.troubles(), ...(troubles?.() ?? [])],
      named: (peer, name) => names.heard(peer, name),
      say,
      event: event => log.event(event),
      incarnation
    })
    // The others know it by its role.
    if (options.role === 'guest') device.view.addGuest(device.view.self)
    const { stop } = stopOnce(async () => {
      try {
        await device.stop({ patience: seconds(0) })
      } finally {
        planner[Symbol.dispose]()
        await cluster[Symbol.asyncDispose]()
        await held[Symbol.asyncDispose]()
      }
    })
    return { device, cluster, guard, incarnation, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await cluster[Symbol.asyncDispose]()
    throw error
  }
}
