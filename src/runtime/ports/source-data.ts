import type { NumberedItem } from '../sink/source-items.ts'

/** What a source has to be computed. */
export interface SourceData {
  /** Not done, in the order of their numbers: all there are, or one after the other as they come. */
  readonly todo: readonly NumberedItem[] | AsyncIterable<NumberedItem>
  /** With those that are done and those that are away, as far as is known. */
  readonly total: number
  /** Not there now: they are waited for. */
  readonly away: readonly NumberedItem[]
}
