import type { BlockHash } from '../../core/ids.ts'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'

/** What the main thread asks of the lane thread. Times are milliseconds: the unit of timers on both sides. */
export interface LaneJobs {
  load: { readonly hash: BlockHash; readonly file: string }
  unload: { readonly hash: BlockHash }
  run: { readonly hash: BlockHash; readonly inputs: readonly Tensor[]; readonly pace: Pace }
  measure: { readonly hash: BlockHash; readonly inputs: readonly MadeUpInput[]; readonly isWarmUp: boolean }
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
    readonly inputs: readonly Tensor[]
    readonly outputs: readonly Tensor[]
    /** Of the run, emulation included, in the machine's monotonic time, which all its processes and threads share. */
    readonly start: number
    readonly end: number
    /** Time of the run itself, as little disturbed by other work as can be told. */
    readonly actual: number
  }
  measure: { readonly least: number }
  calibrate: { readonly least: number }
  close: undefined
}

export type LaneJobKind = keyof LaneJobs

/** How long a run must last at least: a share of its own time, or, better, of the time measured before. */
export interface Pace {
  /** 1 or more: the run lasts this many times the un-emulated time. */
  readonly stretch: number
  /** The un-emulated time, where it is known. */
  readonly nominal: number | undefined
  /** `nominal` was declared: the run lasts that long at speed 1 too. */
  readonly isDeclared: boolean
  /** In the machine's monotonic time, when the run could have begun; undefined: not before the lane is asked. */
  readonly ready: number | undefined
}

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
  /** A control group's file of threads, which the lane enters. */
  readonly group?: string | undefined
}
