import type { DropReason } from '../../core/drop-reason.ts'
import type { FailReason } from '../../core/fail-reason.ts'
import type { TraceContext } from '../../core/trace-context.ts'
import type { Bytes, Seconds } from '../../core/units.ts'

/** A datum of a source. */
interface Of {
  /** The source's id. */
  readonly source: string
  readonly datum: number
  /** Where it is followed: what this step belongs to. */
  readonly trace?: TraceContext | undefined
}

/** What becomes of a datum. */
export type Ending =
  | { readonly outcome: 'result'; readonly available: Seconds }
  | { readonly outcome: 'dropped'; readonly reason: DropReason }
  | { readonly outcome: 'failed'; readonly reason: FailReason }

/** Told what a device does, each when it is over; instants of the device's clock. */
export interface DeviceObserver {
  ran(
    block: Of & {
      readonly model: string
      readonly block: number
      /** Its activation was here, and waited from then on. */
      readonly ready: Seconds
      readonly start: Seconds
      readonly end: Seconds
    }
  ): void
  /** An activation passed a link, which it took from `start` to `end`. */
  sent(
    transfer: Of & {
      /** The receiver's name. */
      readonly to: string
      readonly activation: number
      readonly bytes: Bytes
      /** It was here and made, and waited for the link from then on. */
      readonly ready: Seconds
      readonly start: Seconds
      readonly end: Seconds
    }
  ): void
  admitted(datum: Of & { readonly available: Seconds; readonly at: Seconds }): void
  /** What became of it is in the sink; a result had come home at that instant. */
  ended(datum: Of & Ending & { readonly at: Seconds }): void
}
