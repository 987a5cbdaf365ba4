import type { DropReason } from '../core/drop-reason.ts'
import type { OutputTensor } from '../runtime/io/tensor-like.ts'

/** Which datum of which source. */
export interface OutcomeOf {
  /** The source's name. */
  readonly source: string
  /** The datum's number, from 0, in the order in which it was handed over. */
  readonly datum: number
  /** The item's own name, where it has one; else its number. */
  readonly item: string
}

/** What became of a datum: each has exactly one. */
export type Outcome = OutcomeOf &
  (
    | {
        readonly kind: 'result'
        /** The model's outputs by name. */
        readonly outputs: Readonly<Record<string, OutputTensor>>
        /** Seconds from when the datum was there to when its result was back. */
        readonly inferenceTime: number
        /** When that was, in seconds since 1970, by the clock of this machine. */
        readonly availableAt: number
        readonly doneAt: number
        /** How often it was sent out: more than 1 where a device was lost. */
        readonly attempts: number
      }
    | {
        /** It was not computed, for no fault of its own. */
        readonly kind: 'dropped'
        readonly reason: DropReason
      }
    | {
        /** It cannot be computed. */
        readonly kind: 'failed'
        /** In words: it does not fit the model, or no device could compute it. */
        readonly cause: string
      }
  )
