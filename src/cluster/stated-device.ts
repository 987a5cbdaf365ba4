import type { DeviceId, ModelId } from '../core/ids.ts'
import type { Bytes, BytesPerSecond, Seconds } from '../core/units.ts'

/** What a device says of itself, as far as a plan needs it. */
export interface StatedDevice {
  readonly id: DeviceId
  /** Relative to the reference machine, as it was measured when the device started. */
  readonly speed: number
  /** For blocks, in all; Infinity where it is not limited. Where each of several lanes holds its own, of each. */
  readonly memory: Bytes
  /** So many data it computes at once, each at that speed. @default 1 */
  readonly lanes?: number | undefined
  /** It computes otherwise than others, several say. @default false */
  readonly isOutOfPlans?: boolean
  readonly models: readonly StatedModel[]
  /** From it to others, which may be no part of the plan. */
  readonly links: readonly StatedLink[]
  readonly sources: readonly StatedSource[]
}

export interface StatedModel {
  readonly model: ModelId
  /** Loaded, and what each takes by now. */
  readonly carried: readonly { readonly block: number; readonly seconds: number }[]
  /** Declared for each block of the model at speed 1, carried or not; of another length where they are not. */
  readonly times: readonly number[]
}

export interface StatedLink {
  readonly to: DeviceId
  readonly rate: BytesPerSecond
  readonly latency: Seconds
  /** Links with the same number share one medium. */
  readonly medium: number | undefined
}

export interface StatedSource {
  readonly model: ModelId | undefined
  /** Data per second, or in proportion to each other. */
  readonly demand: number
}
