import type { Seconds } from '../../core/units.ts'
import type { Item } from './data-port.ts'

/** An item and which datum of its source it is. */
export interface NumberedItem {
  readonly datum: number
  readonly item: Item
  /** Since when it is there, of one that came by itself; absent: it is there when it is asked for. */
  readonly since?: Seconds
}

/** Items one after the other, as they come. Each is asked for when there is room for it. */
export interface ItemStream extends AsyncIterable<NumberedItem> {
  /** What a datum that begins now is expected to take: the source says it, for whoever orders by deadlines. */
  expects?: () => Seconds
  /** Called often: what is to be done in time is done. */
  tick?(): void
  /** It ends now, also where it is waited for. Idempotent. */
  close?(): void
}

/** What a source has to be computed. */
export interface SourceData {
  /** Not done, in the order of their numbers: all there are, or one after the other as they come. */
  readonly todo: readonly NumberedItem[] | ItemStream
  /** With those that are done and those that are away, as far as is known. */
  readonly total: number
  /** Not there now: they are waited for. */
  readonly away: readonly NumberedItem[]
}
