import type { Halt } from '../../core/halt.ts'
import type { BlockHash } from '../../core/ids.ts'
import type { LaneLoad } from '../../core/lane-load.ts'
import type { LaneSplit } from '../../core/lane-split.ts'
import type { Follow } from '../../core/progress.ts'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import type { Seconds } from '../../core/units.ts'

/** What a block takes and makes. */
export interface LoadedBlock {
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
}

/** How a run went. */
export interface RunTimes {
  /**
   * What comes after it, where the block decides that: `home`, and the outputs are the model's; `again`, and they are its inputs.
   * @default 'next'
   */
  readonly follow?: Follow
  /** When the run began and ended, on the device's clock. */
  readonly start: Seconds
  readonly end: Seconds
  /** From the one to the other. */
  readonly took: Seconds
  /** What of that the run itself needed, as little disturbed by other work on the machine as can be told. */
  readonly own: Seconds
  /** By how much it took longer than was declared, because the machine was busy with something else; 0 where nothing was. */
  readonly late: Seconds
}

/** What runs a block, and why that. */
export interface BlockProvider {
  readonly provider: string
  readonly because: string
}

/** A block has run. */
export interface BlockRun extends RunTimes {
  /** The block's outputs, in the model's order; each with its own ArrayBuffer. */
  readonly outputs: readonly Tensor[]
  /** The inputs, handed back: what lives on beside the block must not be copied to survive. */
  readonly inputs: readonly Tensor[]
}

/** A block has run on several data at once. */
export interface TogetherRun extends RunTimes {
  /** Of each datum, as it came, the block's outputs; each with its own ArrayBuffer. */
  readonly outputs: readonly (readonly Tensor[])[]
  /** Of each datum what was given, handed back. */
  readonly inputs: readonly (readonly Tensor[])[]
}

/** One of several blocks that run one after the other on what the ones before have made. */
export interface VisitedBlock {
  readonly hash: BlockHash
  /** As `Engine.run`. */
  readonly expected: Seconds
  /** What lives on when it has run, by name. */
  readonly alive: readonly string[]
}

/** Blocks have run in one visit. */
export interface BlockVisit {
  /** Of those that have, in order: not all where it was halted, where one says that something else follows, or where one failed. */
  readonly runs: readonly RunTimes[]
  /** Made by any of them and alive after the last; all, where that says what follows. Each with its own ArrayBuffer. */
  readonly outputs: readonly Tensor[]
  /** What was given, handed back. */
  readonly inputs: readonly Tensor[]
  readonly failed?: FailedRun
}

export interface FailedRun {
  /** Which of the blocks. Not the one behind `runs` where all that ran in this visit is lost. */
  readonly at: number
  readonly error: Error
}

/**
 * Runs blocks, one at a time in each of its lanes, beside whoever asks: nothing else waits for it. Tensors are given away, unless they are
 * lent: nobody else looks at them until the result holds them again under `inputs`, in the same buffers or others. When the run
 * fails they are lost.
 * A block that fails to load or run rejects for its caller and disturbs nobody else.
 */
export interface Engine extends AsyncDisposable {
  /** So many runs are under way at once; each lane holds all blocks. @default 1 */
  readonly lanes?: number
  /** What its lanes are made of, and why, where that is its own choice. Absent: it was told. */
  readonly split?: (LaneSplit & { readonly because: string }) | undefined
  /**
   * It may choose another split of its lanes for what there has been to do lately. To be called now and then.
   * @returns undefined where it stays. Absent: there is nothing to choose
   */
  readonly adapt?: ((load: LaneLoad) => Promise<AdaptedSplit | undefined>) | undefined
  /**
   * @param place of its bytes, as the block store said
   * @param work seconds of one run at speed 1, where somebody says it: it is not measured then
   * @throws EngineError with the runtime's words when it is not a model that it opens
   */
  load(hash: BlockHash, place: string, work?: Seconds): Promise<LoadedBlock>
  unload(hash: BlockHash): Promise<void>
  /**
   * Run one block. `inputs` must hold the tensors that the block names; others are refused.
   * @param readySince when the run could have begun had the engine been free, for whoever accounts for what its device does
   * @param expected seconds that it should take here, where nothing better is known
   * @throws EngineError when the block is not loaded or the runtime reports an error
   * @throws StuckError when it does not end; the block is not run again before it was unloaded
   */
  run(hash: BlockHash, inputs: readonly Tensor[], readySince?: Seconds, expected?: Seconds): Promise<BlockRun>
  /**
   * Run blocks one after the other, and nothing between them. Before each but the first it is looked whether it is to stop.
   * Absent: it cannot, and each is asked for by `run`.
   * @param inputs what any of them reads that none before it makes, once each
   * @param readySince as `run`
   * @throws as `run`, where the first did not run
   */
  readonly visit?:
    | ((
        blocks: readonly VisitedBlock[],
        inputs: readonly Tensor[],
        halt: Halt,
        readySince?: Seconds
      ) => Promise<BlockVisit>)
    | undefined
  /**
   * Run one block on several data at once, all of the same names, types and dimensions; of a block that takes them so. Absent: it
   * cannot, and each is asked for by `run`.
   * @throws as `run`, and EngineError where what comes out is not that of so many
   */
  readonly runTogether?:
    | ((hash: BlockHash, data: readonly (readonly Tensor[])[], expected?: Seconds) => Promise<TogetherRun>)
    | undefined
  /**
   * Time a loaded block on zeros (or seeded values) of these shapes: warm-up, then the least of several runs, so that
   * other work on the machine does not count. Where there are several ways to run it, this is when one is chosen.
   * @param isReference the time in the way that `calibrate` is about, whatever else there is
   * @param isBrief fewer runs, in the way that was chosen: to be compared with what was measured
   * @returns seconds; where they were declared, those
   */
  measure(
    hash: BlockHash,
    inputs: readonly { readonly spec: TensorSpec; readonly dims: readonly number[] }[],
    isReference?: boolean,
    isBrief?: boolean
  ): Promise<Seconds>
  /** What a loaded block runs on. Absent: there is one way only. */
  readonly providerOf?: ((hash: BlockHash) => BlockProvider | undefined) | undefined
  /** Speed of this device relative to the reference (1 = this kind of core doing the calibration model in its nominal time). */
  calibrate(): Promise<number>
  /** Finishes the run that is under way, but does not wait long for it. */
  stop(): Promise<void>
  /** A run that is asked for while another is under way begins the moment that one ends. @default false: who asks waits for it */
  readonly takesAhead?: boolean
  /** So many run a block that never ends: nothing but the end of the process ends them. @default 0 */
  readonly abandoned?: number
}

/** In another split: in times of what it took before, what each loaded block takes, as far as that was measured. */
export type AdaptedSplit = ReadonlyMap<BlockHash, number>

/** A block that does not end. It is left alone: a run cannot be interrupted. */
export class StuckError extends Error {
  override readonly name = 'StuckError'
}

/** The runtime refused; the message carries its words and the block. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
}
