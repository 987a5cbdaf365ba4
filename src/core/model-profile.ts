import type { Bytes, Seconds } from './units.ts'

/** What the blocks of a model cost. */
export interface ModelProfile {
  readonly name: string
  /** Seconds of each block at speed 1. */
  readonly work: readonly Seconds[]
  /** Bytes of each block. */
  readonly weights: readonly Bytes[]
  /** Bytes of activation 0 .. K. */
  readonly activations: readonly Bytes[]
  /** What of these, the result aside, travels as it is in every encoding: other types than float32. Absent: nothing. */
  readonly unencodable?: readonly Bytes[]
  /** Bytes that are told, where `activations` are made to fit a link's rate. Absent: the same. */
  readonly toldBytes?: readonly Bytes[]
}
