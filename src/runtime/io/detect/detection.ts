/** Left, top, right, bottom. */
export type Box = readonly [left: number, top: number, right: number, bottom: number]

/** Something that a model may have seen. */
export interface Candidate {
  /** In pixels of the model's input. */
  readonly box: Box
  /** Of its class, from 0. */
  readonly index: number
  /** 0 .. 1. */
  readonly score: number
}
