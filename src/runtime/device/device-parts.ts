import type { EncodingChoice } from '../../core/activation-encoding.ts'
import type { Clock } from '../../core/clock.ts'
import type { DeviceId } from '../../core/ids.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import type { Bytes, Seconds } from '../../core/units.ts'
import type { Foresee } from '../../planner/outlook.ts'
import type { Place } from '../../planner/placement.ts'
import type { CreatePolicy } from '../../scheduler/policy.ts'
import type { BlockStore } from '../ports/block-store.ts'
import type { DataTracer } from '../ports/data-tracer.ts'
import type { DeviceObserver } from '../ports/device-observer.ts'
import type { Engine } from '../ports/engine.ts'
import type { Hash } from '../ports/hash.ts'
import type { KeptNames } from '../ports/kept-names.ts'
import type { Network } from '../ports/network.ts'
import type { Random } from '../ports/random.ts'
import type { Signer } from '../ports/signer.ts'
import type { LineFacts } from './line-facts.ts'
import type { LogLevel } from './log-level.ts'
import type { OwnedModel, OwnerParts } from './owned-model.ts'

/** What a device is made of, and what it is told. It stops network and engine when it stops; nothing here is written to. */
export interface DeviceParts {
  readonly name: string
  readonly clock: Clock
  readonly network: Network
  readonly engine: Engine
  readonly blobs: BlockStore
  /** Of these, what others cannot guess. */
  readonly random: Random
  readonly hash: Hash
  /** Of this device's key. */
  readonly signer: Signer
  readonly createPolicy: CreatePolicy
  /** Absent: this device cannot plan, and leaves that to others. */
  readonly place?: Place | undefined
  /** It will be asked to place something in a moment. @default it is not told */
  readonly expectProblem?: (() => void) | undefined
  /** For blocks; Infinity where it is not limited. */
  readonly memory: Bytes
  /** It stands for another machine: whatever is said of it says so. */
  readonly emulated: boolean
  readonly models: readonly OwnedModel[]
  /** Cuts a model that is owned, or finds that it was. @param model one that this device was given @default this device owns none */
  prepareModel?(model: OwnedModel, parts: OwnerParts): Promise<ModelManifest>
  /** Sources wait until this many devices are there and have loaded what is placed on them. @default 1 */
  readonly startWhen?: number
  /** Sources wait for this besides; resolves with how long ago the run began. */
  readonly begun?: Promise<Seconds>
  /** A block takes what its model's owner says / speed: it is not measured here. @default false */
  readonly declaresWork?: boolean
  /** Likewise, but what is said here: of a model's blocks on this device at speed 1, by the model's name. @default none */
  readonly ownTimes?: ReadonlyMap<string, readonly Seconds[]>
  /** How float32 activations travel from here; results go home as they are. @default fp32 */
  readonly activationEncoding?: EncodingChoice
  /** Of the data of its sources, this share is computed a second time by others, and compared. @default 0 */
  readonly audit?: number
  /** For people: one line, to the log. */
  readonly say: (text: string, level?: LogLevel, facts?: LineFacts) => void
  /** A device has said what it calls itself. */
  readonly named?: (device: DeviceId, name: string) => void
  /** For programs. */
  readonly event: (event: { readonly event: string; readonly [key: string]: unknown }) => void
  /** For traces. */
  readonly observe?: DeviceObserver | undefined
  /** Which data of its sources are followed. @default none */
  readonly tracer?: DataTracer | undefined
  /** What a command on this machine wants with a model of this device. */
  readonly takeOrder?: (token: string) => Promise<OwnedModel>
  /** Computes what would be, apart from this device. @default nobody can ask */
  readonly foresee?: Foresee | undefined
  /** Stops this device as whoever runs it would; others may ask for it. @default nobody can */
  readonly leave?: (() => void) | undefined
  /** Reads anew what this device is to have. @returns what has changed, as JSON @default it cannot */
  readonly reload?: () => Promise<string>
  /** A model that nobody owns and no source uses leaves the cluster after so long. @default 1 h */
  readonly keepModels?: Seconds
  /** Of a device that has been away for so long nothing is kept. @default 24 h */
  readonly forgetsAfter?: Seconds
  /** What is wrong with this device that only whoever runs it knows, in words; said again every few minutes while it lasts. */
  readonly troubles?: () => readonly string[]
  /** Larger at every start of the process. */
  readonly incarnation: number
  /** Of this device's jobs and of those that others do for it: what they fail at shows in its status. @default one of its own */
  readonly guard?: JobGuard
  /** Where what the names of its models mean is kept for the next start. @default nowhere */
  readonly keptNames?: KeptNames
  /** Where what names of models have come to mean to its sources is kept for the next start. @default nowhere */
  readonly keptPins?: KeptNames
  /** What names of models are to mean to its sources, whatever they meant: `name@fingerprint`. @default as they are first used */
  readonly accepts?: readonly string[]
  /** Since 1970. @default since the device's clock began */
  readonly wallTime?: () => Seconds
  /** What this process has of the machine's memory. @default 0: nobody asks for it */
  readonly residentMemory?: () => Bytes
  /** Told again and again while nothing has happened for a while. @default nobody is */
  readonly rested?: () => void
}
