import type { DeviceId, ModelId } from '../core/ids.ts'
import type { Bytes, BytesPerSecond, Seconds } from '../core/units.ts'
import type { WholeModels } from '../core/whole-models.ts'

export interface PlacementDevice {
  readonly id: DeviceId
  /** Relative to the reference machine. */
  readonly speed: number
  /** For blocks, in all; Infinity where it is not limited. Where each of several lanes holds its own, of each. */
  readonly memory: Bytes
  /** So many data it computes at once, each at that speed. @default 1 */
  readonly lanes?: number | undefined
}

export interface PlacementModel {
  readonly id: ModelId
  readonly blocks: readonly { readonly bytes: Bytes; readonly work: Seconds }[]
  /** Bytes of activation 0 .. K. */
  readonly activations: readonly Bytes[]
  /** By device of the problem: what each block takes there now, where that was measured; undefined: work / speed. */
  readonly times?: readonly (readonly Seconds[] | undefined)[] | undefined
  /** The first block runs on the device of the source and nowhere else. */
  readonly pinned?: boolean | undefined
}

/** Devices and models by their place in the problem. */
export interface PlacementLink {
  readonly from: number
  readonly to: number
  readonly rate: BytesPerSecond
  readonly latency: Seconds
  /** Links with the same number share one medium. */
  readonly medium?: number
}

export interface PlacementSource {
  readonly device: number
  readonly model: number
  /** Data per second, or in proportion to each other. */
  readonly demand: number
}

export interface PlacementProblem {
  readonly devices: readonly PlacementDevice[]
  readonly models: readonly PlacementModel[]
  readonly links: readonly PlacementLink[]
  readonly sources: readonly PlacementSource[]
  /** Where models are needed whole. */
  readonly wholeModels: WholeModels
  /** What is loaded now, so that a plan can avoid moving weights. */
  readonly carried: Placement
}

/** Block numbers, ascending, by device and model. Devices and models that carry nothing may be absent. */
export type Placement = ReadonlyMap<DeviceId, ReadonlyMap<ModelId, readonly number[]>>

export interface UnplacedBlock {
  readonly model: ModelId
  readonly block: number
  /** For a person: what it needs, what there is, what to do. */
  readonly because: string
}

/** What the planner reckons with, in times of all demands together. */
export interface Foreseen {
  /** What blocks serve where they were carried; absent where not every block was. */
  readonly before?: number
  /** What the best placement serves that was found; where blocks stay, they serve hardly less. */
  readonly best: number
  /** What no placement exceeds. */
  readonly most: number
}

export interface PlacementOutcome {
  readonly placement: Placement
  /** Blocks that fit nowhere: data of their models wait until somebody with memory joins. */
  readonly unplaced: readonly UnplacedBlock[]
  /** Absent where it was not made for what sources ask. */
  readonly foreseen?: Foreseen
}

/** Decides which device carries which blocks. It may take seconds. */
export type Place = (problem: PlacementProblem) => PlacementOutcome | Promise<PlacementOutcome>
