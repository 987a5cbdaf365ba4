import type { LivePort } from '../runtime/io/create-live-port.ts'
import type { LiveItem } from '../runtime/io/live-item.ts'

export interface FeedParts {
  /** Where an item goes, when there is room. @returns its number; undefined: no more are taken */
  readonly offer: (item: LiveItem) => Promise<number | undefined>
  /** How they become tensors. */
  readonly port: LivePort
  /** Aborts when the source is stopped. */
  readonly signal: AbortSignal
}

/** Brings the items of a live source. */
export interface Feed {
  /** Resolves when no more come. @throws FeedFailed when it cannot go on, UserError when it is wrongly used, which ends the device */
  run(parts: FeedParts): Promise<void>
  /** What has no outcome when the source stops comes again at the next start, under another number. @default it is gone */
  readonly comesAgain?: true
  /** After the sink is closed: nothing settles any more. */
  close?(): Promise<void>
  /** What became of an item is in the sink. */
  settled?(item: LiveItem): void
}
