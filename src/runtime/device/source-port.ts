import type { DeviceId, ModelId } from '../../core/ids.ts'
import type { Arrivals } from '../../core/scenario.ts'
import type { Seconds } from '../../core/units.ts'
import type { DeviceTask } from '../dispatch/device-task.ts'
import type { DeviceReport } from './device-status.ts'
import type { BlockFailure } from './is-proven.ts'

/** Which dispatch of which datum. */
export interface DatumRef {
  readonly source: string
  readonly datum: number
  readonly attempt: number
}

/** Whoever is told what becomes of data that this device has sent out. */
export interface DatumTaker {
  /** The result has come home; a late duplicate is dropped. */
  delivered(task: DeviceTask): void
  /** It is on its way to `device`, which is to compute something of it. */
  given?(ref: DatumRef, device: DeviceId): void
  /** `device` did not take it. */
  notTaken?(ref: DatumRef): void
  /** `device` has it now. */
  custody(ref: DatumRef, device: DeviceId, done: number): void
  /** `device` had it when it was lost, or cannot get it any further and has let it go. */
  lost(ref: DatumRef, device: DeviceId, how?: 'letGo'): void
  /** One of its blocks could not be computed somewhere. */
  failed(ref: DatumRef, failure: BlockFailure): void
}

/** A source, as the device around it sees it: it submits tasks by itself and is told what becomes of them. */
export interface SourcePort extends DatumTaker {
  /** Unique in the cluster: `name@device`. */
  readonly id: string
  readonly arrivals: Arrivals
  /** What its model's name means now; undefined while there is none. */
  readonly modelId: ModelId | undefined
  /** The placement is made without it. @default false */
  readonly isUncounted?: boolean
  /** What is wrong can be said before anything begins, as far as the model is known. @throws UserError */
  check(): Promise<void>
  /**
   * Begin to admit; resolves when every datum has its result in the sink, or when stopped.
   * @param elapsed how long ago the run began: a source that starts later waits for the rest of its time only
   */
  run(signal: AbortSignal, elapsed: Seconds): Promise<void>
  /** Everything that `device` has is gone. */
  deviceLost(device: DeviceId): void
  /** Its share beside the others', of what is sent out from now on. @default it stays as it is */
  weigh?(weight: number): void
  /** Look for missed deadlines. Called every 100 ms. */
  tick(): void
  status(): DeviceReport['sources'][number]
  stop(): Promise<void>
}
