import type { Bytes, Seconds } from '../../core/units.ts'

/** A datum of a source. */
interface Of {
  /** The source's id. */
  readonly source: string
  readonly datum: number
}

/** Told what a device does, each when it is over; instants of the device's clock. */
export interface DeviceObserver {
  ran(
    block: Of & { readonly model: string; readonly block: number; readonly start: Seconds; readonly end: Seconds }
  ): void
  /** An activation passed a link, which it took from `start` to `end`. */
  sent(
    transfer: Of & {
      /** The receiver's name. */
      readonly to: string
      readonly activation: number
      readonly bytes: Bytes
      readonly start: Seconds
      readonly end: Seconds
    }
  ): void
  admitted(datum: Of & { readonly available: Seconds; readonly at: Seconds }): void
  /** Its result is in the sink; it came home at that instant. */
  completed(datum: Of & { readonly at: Seconds }): void
}
