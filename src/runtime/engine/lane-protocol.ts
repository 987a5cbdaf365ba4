import type { BlockHash } from '../../core/ids.ts'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import type { EngineProvider } from './engine-options.ts'

/** What the main thread asks of the lane thread. Times are milliseconds: the unit of timers on both sides. */
export interface LaneJobs {
  load: { readonly hash: BlockHash; readonly file: string }
  unload: { readonly hash: BlockHash }
  run: {
    /** One after the other, each on what was given and on what those before it made. */
    readonly blocks: readonly LaneBlock[]
    readonly inputs: readonly Tensor[] | { readonly shared: readonly SharedInput[] }
    /** So many data are run at once, and `inputs` are those of one behind those of the other; so are the outputs. @default 1 */
    readonly data?: number
    /** Of more than one block. */
    readonly progress?: SharedArrayBuffer
  }
  measure: { readonly hash: BlockHash; readonly inputs: readonly MadeUpInput[]; readonly runs: MeasuredRuns }
  calibrate: { readonly model: Uint8Array }
  close: Record<never, never>
}

export interface LaneAnswers {
  load: {
    readonly inputs: readonly TensorSpec[]
    readonly outputs: readonly TensorSpec[]
  }
  unload: undefined
  run: {
    /** Those that were transferred. */
    readonly inputs: readonly Tensor[]
    /** What lives on of what was made. */
    readonly outputs: readonly Tensor[]
    /** Of each block that ran. */
    readonly runs: readonly LaneRun[]
    /** Why the next one did not. */
    readonly failed?: string
  }
  measure: { readonly least: number }
  calibrate: { readonly least: number }
  close: undefined
}

/** How often a block is run to be timed: so that it is warm, to be compared, or well. */
export type MeasuredRuns = 'warmUp' | 'few' | 'many'

export interface LaneBlock {
  readonly hash: BlockHash
  /** Of tensors that live on when it has run. @default all that it makes */
  readonly alive?: readonly string[]
}

export interface LaneRun {
  /** In the machine's monotonic time, which all its processes and threads share. */
  readonly start: number
  readonly end: number
  /** Of what it took, the run's own, as little disturbed by other work as can be told. */
  readonly actual: number
}

/** A tensor in memory that both threads see. */
export interface SharedInput extends Omit<Tensor, 'data'> {
  readonly memory: ArrayBufferLike
  readonly at: number
  readonly size: number
}

export type LaneJobKind = keyof LaneJobs

export interface MadeUpInput {
  readonly name: string
  readonly type: TensorSpec['type']
  readonly dims: readonly number[]
}

export interface LaneRequest<K extends LaneJobKind = LaneJobKind> {
  readonly id: number
  readonly kind: K
  readonly job: LaneJobs[K]
}

/** The first thing that a lane says: the number of its thread for the system, where there is one. */
export interface LaneGreeting {
  readonly thread: number | undefined
}

export type LaneReply =
  | { readonly id: number; readonly ok: true; readonly answer: LaneAnswers[LaneJobKind] }
  | { readonly id: number; readonly ok: false; readonly because: string }

/** The lane thread's `workerData`. */
export interface LaneSettings {
  readonly threads: number
  /** Runs' own time is told apart from what other work took. */
  readonly tellsOwn: boolean
  /** A control group's file of threads, which the lane enters. */
  readonly group?: string | undefined
  /** Undefined: cpu. */
  readonly provider?: EngineProvider | undefined
}
