import type { DeviceId, ModelId } from '../../core/ids.ts'
import { elementCount } from '../../core/tensor.ts'
import type { TraceContext } from '../../core/trace-context.ts'
import type { Seconds } from '../../core/units.ts'
import type { LiveTask } from '../../scheduler/dispatch/live-task.ts'
import type { WireTensor } from '../ports/wire-tensor.ts'

/** A datum on a running device: with its activation, and with names that other devices understand. */
export interface DeviceTask extends LiveTask {
  readonly modelId: ModelId
  readonly homeId: DeviceId
  /** As they came: those of an encoding link are decoded when a block runs on them. */
  tensors: readonly WireTensor[]
  /** Its home's, for this attempt; absent until it is submitted there. */
  readonly token?: Uint8Array
  /** Who made its activation, as far as is known; undefined while it is the source's own. */
  madeBy?: DeviceId | undefined
  /** Who answers for them: whom they came from, or this device where it made them; undefined: the source's own. */
  sentBy?: DeviceId | undefined
  /** What arrived is no activation of its block: whose failure that is. */
  blame?: DeviceId | undefined
  /** Who sent it here; absent: it is of a source of this device. */
  readonly from?: DeviceId
  /** When its last block on this device ended; undefined when it came from elsewhere. */
  ranUntil?: Seconds
  /** Of a datum that is followed: what all its steps belong to. */
  readonly trace?: TraceContext | undefined
}

/** Of the tensors when decoded. */
export const payloadBytes = (task: DeviceTask): number => task.tensors.reduce((sum, t) => sum + plainBytes(t), 0)

export const plainBytes = (tensor: WireTensor): number =>
  tensor.type === 'encoded' ? 4 * elementCount(tensor.dims) : tensor.data.byteLength
