import type { BatchCurves } from './batch-curves.ts'
import type { Bytes, Seconds } from './units.ts'

/** What the blocks of a model cost. */
export interface ModelProfile {
  readonly name: string
  /** Seconds of each block at speed 1. */
  readonly work: readonly Seconds[]
  /** By device: what each block takes there at the speed that the device begins with; undefined: work / speed. */
  readonly times?: readonly (readonly Seconds[] | undefined)[]
  /** By device: what several data of each block take at once there; undefined: they run one at a time. */
  readonly batch?: BatchCurves
  /** The first block runs on the device of the datum's source and nowhere else. */
  readonly pinned?: boolean
  /** Bytes of each block. */
  readonly weights: readonly Bytes[]
  /** Bytes of activation 0 .. K. */
  readonly activations: readonly Bytes[]
  /** What of these, the result aside, travels as it is in every encoding: other types than float32. Absent: nothing. */
  readonly unencodable?: readonly Bytes[]
  /** Bytes that are told, where `activations` are made to fit a link's rate. Absent: the same. */
  readonly toldBytes?: readonly Bytes[]
}
