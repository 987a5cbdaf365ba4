import type { SinkEntry } from './sink-entry.ts'

/** What a sink already holds of a datum. */
export interface Recorded {
  readonly item: string
  readonly kind: 'result' | 'skipped' | 'failed'
}

export interface RecordedCounts {
  readonly results: number
  readonly skipped: number
  /** Given up: what they are could not be computed. */
  readonly failed: number
}

export type SinkState =
  | { readonly kind: 'open' }
  /** The disk refuses, and why; writing is tried again until it works or the sink is stopped. */
  | { readonly kind: 'stuck'; readonly because: string; readonly tries: number }
  | { readonly kind: 'stopped' }

/**
 * Where results go: a JSONL file, each result exactly once, whatever happens in between. Shared by the sources of a device.
 *
 * What is in the file when it is opened counts: it is never written again, and `recorded` tells a source where to go on.
 * Lines are in the order of `write`. While the disk refuses, `write` does not resolve, so sources stop at their window
 * and nothing is lost.
 */
export interface Sink extends AsyncDisposable {
  readonly file: string
  /** What the file holds of a source, by datum; grows with every write. */
  recorded(source: string): ReadonlyMap<number, Recorded>
  /** How many of them are results, how many were skipped and how many given up; looked up, not counted. */
  counts(source: string): RecordedCounts
  /**
   * @returns 'written' once the line is on the disk; 'twin', writing nothing, when this datum has a line or is about to
   * @throws UserError when the sink was stopped before the disk took the line: the datum is not recorded then
   */
  write(entry: SinkEntry): Promise<'written' | 'twin'>
  state(): SinkState
  /** Writes what was accepted (one try when the disk refuses), releases the file. Idempotent. */
  stop(): Promise<void>
}
