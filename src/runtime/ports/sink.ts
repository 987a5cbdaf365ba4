import type { SinkEntry } from './sink-entry.ts'

/** What is known to have become of a datum. */
export interface Recorded {
  readonly item: string
  /** `noItem`: it has failed because its item was none of its kind; should it become one, its result may follow. */
  readonly kind: 'result' | 'noItem' | 'failed' | 'dropped'
  /** Of one that was no item: what it looked like then. When it looks different, it may be written again. */
  readonly stamp?: string
}

export interface RecordedCounts {
  readonly results: number
  /** Could not be computed, or were no items of their kind. */
  readonly failed: number
  /** Of these, items that were none: they are read again when they change. */
  readonly noItems: number
  /** Let go before they were computed, by a stated rule. */
  readonly dropped: number
}

export type SinkState =
  | { readonly kind: 'open' }
  /** The disk refuses, and why; writing is tried again until it works or the sink is stopped. */
  | { readonly kind: 'stuck'; readonly because: string; readonly tries: number }
  /** What writes it has failed itself, and why: nothing is written any more. The device does not go on without it. */
  | { readonly kind: 'failed'; readonly because: string }
  | { readonly kind: 'stopped' }

/** Where results are delivered to, and what waits for it. */
export interface Delivery {
  readonly to: string
  /** Bytes of results on the disk. */
  readonly waiting: number
  /** Why nothing is delivered now; '' where it is. */
  readonly because: string
}

/**
 * Where results go, each result exactly once, whatever happens in between. Shared by the sources of a device.
 *
 * What is in it when it is opened counts (of a file what was written before it was rotated, too): it is never written again,
 * and `recorded` tells a source where to go on. Lines are in the order of `write`. While the disk refuses, `write` does not resolve, so sources stop at their window
 * and nothing is lost.
 */
export interface Sink extends AsyncDisposable {
  /** For people: the path, where it is a file. */
  readonly name: string
  /** What became of a source's data, by datum; grows with every write. */
  recorded(source: string): ReadonlyMap<number, Recorded>
  /** Whether it has a line, also of a source whose data are too many to be told one by one in `recorded`. */
  has(source: string, datum: number): boolean
  /** How many of them are results, how many have failed and were dropped; looked up, not counted. */
  counts(source: string): RecordedCounts
  /**
   * @param stamp of an item that is none: what it looks like, kept with it
   * @returns 'written' once the line is on the disk; 'duplicate', writing nothing, when this datum has a line or is about to;
   *   the line of one that was no item is followed by that of a result, should there be one after all
   * @throws NotWritten when the sink was stopped before the disk took the line, UserError when before it was asked: the datum
   *   is not recorded then
   */
  write(entry: SinkEntry, stamp?: string): Promise<'written' | 'duplicate'>
  state(): SinkState
  /** Of one that delivers what it holds to somebody else. @default none */
  deliveries?(): readonly Delivery[]
  /** Writes what was accepted (one try when the disk refuses), and lets go of it. Idempotent. */
  stop(): Promise<void>
}
