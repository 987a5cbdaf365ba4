import type { DeviceId, ModelId } from '../../core/ids.ts'
import type { Tensor } from '../../core/tensor.ts'
import type { LiveTask } from '../../scheduler/dispatch/live-task.ts'

/** A datum on a running device: with its activation, and with names that other devices understand. */
export interface DeviceTask extends LiveTask {
  readonly modelId: ModelId
  readonly homeId: DeviceId
  tensors: readonly Tensor[]
}

export const payloadBytes = (task: DeviceTask): number => task.tensors.reduce((sum, t) => sum + t.data.byteLength, 0)
