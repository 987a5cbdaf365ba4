import type { BlockHash } from '../../core/ids.ts'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import type { Seconds } from '../../core/units.ts'

export interface LoadedBlock {
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
}

export interface BlockRun {
  /** The block's outputs, in the model's order; each with its own ArrayBuffer. */
  readonly outputs: readonly Tensor[]
  /** The inputs, handed back: what lives on beside the block must not be copied to survive the transfer to the lane. */
  readonly inputs: readonly Tensor[]
  /** When the run began and ended, on `systemClock`: for an emulated device, when it would have begun. */
  readonly start: Seconds
  readonly end: Seconds
  /** Of the run itself, emulation included. */
  readonly took: Seconds
  /** By how much that is more than emulation asked for: the machine was busy with something else. */
  readonly late: Seconds
}

/**
 * ONNX Runtime in a lane: a worker thread, because InferenceSession.run of onnxruntime-node blocks its caller.
 * One block runs at a time. Tensors go in and out by transfer: the caller's buffers are detached, and the result
 * holds them again under `inputs`. When the run fails they are lost.
 * A block that fails to load or run rejects for its caller and disturbs nobody else; a lane that dies is restarted.
 */
export interface Engine extends AsyncDisposable {
  /** Emulate another speed from the next run on. @throws RangeError unless above 0 */
  setSpeed(speed: number): void
  /**
   * @param work seconds of one run at speed 1, where somebody says it: it is not measured then, and a run lasts work / speed
   * @throws EngineError with ONNX Runtime's words when it is not a model this runtime opens
   */
  load(hash: BlockHash, file: string, work?: Seconds): Promise<LoadedBlock>
  unload(hash: BlockHash): Promise<void>
  /**
   * Run one block. `inputs` must hold the tensors that the block names; others are refused.
   * @param readySince on `systemClock`, when the run could have begun had the lane been free. An emulated device counts a
   * run from then, or from the end of its last run: what this machine needed in between to hand it over is not its own.
   * @param expected seconds that it should take here, where nothing better is known
   * @throws EngineError when the block is not loaded or ONNX Runtime reports an error
   * @throws StuckError when it does not end; the block is not run again before it was unloaded
   */
  run(hash: BlockHash, inputs: readonly Tensor[], readySince?: Seconds, expected?: Seconds): Promise<BlockRun>
  /**
   * Time a loaded block on zeros (or seeded values) of these shapes: warm-up, then the least of several runs, so that
   * other work on the machine does not count. This is also what emulation stretches: an emulated run lasts
   * max(actual, measured / speed). @returns seconds at this device's speed, emulation included
   */
  measure(
    hash: BlockHash,
    inputs: readonly { readonly spec: TensorSpec; readonly dims: readonly number[] }[]
  ): Promise<Seconds>
  /** Speed of this device relative to the reference (1 = this kind of core doing the calibration model in its nominal time), after emulation. */
  calibrate(): Promise<number>
  /** Finishes the run that is under way, but does not wait for it for longer than four seconds. */
  stop(): Promise<void>
  /** Threads that run a block that never ends: nothing but the end of the process ends them. */
  readonly abandoned?: number
}

/** A block that does not end. Its thread is left alone with it, at the lowest priority: a run cannot be interrupted. */
export class StuckError extends Error {
  override readonly name = 'StuckError'
}

/** ONNX Runtime refused; the message carries its words and the block. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
}
