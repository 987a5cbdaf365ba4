import type { DeviceId, ModelId } from '../../core/ids.ts'
import type { Tensor } from '../../core/tensor.ts'
import type { Seconds } from '../../core/units.ts'
import type { Step, TaskState } from '../../scheduler/policy.ts'

/** A datum on this device, with its activation. Mutable: it moves from queue to queue and grows blocks. */
export interface LiveTask {
  readonly source: string
  readonly datum: number
  /** Counts the dispatches from the source: a datum that was sent out again is another task. */
  readonly attempt: number
  readonly model: ModelId
  readonly homeId: DeviceId
  readonly weight: number
  /** On this device's clock. */
  readonly availableAt: Seconds
  /** Numbers in this device's world. */
  readonly modelIndex: number
  readonly home: number
  done: number
  queuedAt: Seconds
  /** What its policy has already decided. */
  route: readonly Step[]
  tensors: readonly Tensor[]
  /** How often it was refused since it last moved: a loop of refusals ends as a failure. */
  refusals: number
}

export const taskState = (task: LiveTask): TaskState => ({
  source: task.source,
  datum: task.datum,
  model: task.modelIndex,
  home: task.home,
  weight: task.weight,
  availableAt: task.availableAt,
  queuedAt: task.queuedAt,
  done: task.done
})

export const payloadBytes = (task: LiveTask): number => task.tensors.reduce((sum, t) => sum + t.data.byteLength, 0)
