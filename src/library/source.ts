import type { ItemLike } from '../runtime/io/tensor-like.ts'
import type { SourceStatus } from './cluster-status.ts'
import type { Outcome } from './outcome.ts'

/** What all sources of a program can do. */
export interface SourceBase {
  /** As it was given to `addSource`. */
  readonly name: string
  /** How it stands now: data, results, times in seconds. */
  status(): SourceStatus
  /** Ends it: what has no outcome yet is dropped. Idempotent. */
  stop(): Promise<void>
}

/**
 * A source that reads an iterable, and the outcomes of its data in the order in which they come. They are to be read: while a
 * window of them lies unread, the source waits. Leaving the loop stops the source; an error of the iterable is thrown
 * after the outcomes of what came before it.
 */
export interface IterableSource extends SourceBase, AsyncIterable<Outcome> {}

/** A source whose data are sent one by one. */
export interface SendingSource extends SourceBase {
  /** @returns what becomes of it; it is never rejected for what is wrong with the datum @throws UserError `ended` after `end` */
  send(item: ItemLike): Promise<Outcome>
  /** Nothing more is sent. Resolves when all that was sent has its outcome. Idempotent. */
  end(): Promise<void>
}
