import type { ItemLike } from '../runtime/io/tensor-like.ts'

/** Data of a program, each asked for once. */
export type Items = Iterable<ItemLike> | AsyncIterable<ItemLike>

/** A source of data, for `cluster.addSource`: what all kinds of it have in common. */
export interface SourceOptions {
  /** Unique among the sources of this device that have not ended. */
  readonly name: string
  /** The model's name, wherever in the cluster it is owned. @default this device's own, or the cluster's only one */
  readonly model?: string
  /** How many data may be on their way at once; auto: as few as keep its throughput. @default 'auto' */
  readonly window?: number | 'auto'
  /** What it counts beside other sources, where the policy minds. @default 1 */
  readonly weight?: number
  /** So many data a second are admitted at most, and the placement counts on as many. @default as many as can be served */
  readonly rate?: number
  /** Seconds. A datum that is not begun so long after it came is `dropped`. @default it waits as long as it takes */
  readonly deadline?: number
  /** A datum that was begun and is not done by its deadline is finished, or dropped too. @default 'finish' */
  readonly late?: 'finish' | 'cancel'
}

/** A source whose data come from an iterable. */
export interface IterableSourceOptions extends SourceOptions {
  /** Its data, asked for one after the other, each when the window has room; with `drop`, as fast as they come. */
  readonly items: Items
  /** Which of its data goes when `queue` of them wait for room in the window. @default 'none': it is not asked for more */
  readonly drop?: 'oldest' | 'newest' | 'none'
  /** So many may wait for room in the window. @default 1 */
  readonly queue?: number
}

/** A source whose data are sent one by one. */
export interface SendingSourceOptions extends SourceOptions {
  /** Absent: data are handed over by `send`. */
  readonly items?: undefined
  /** Which goes when `queue` of them wait for room in the window: that which waits longest, or the one that is sent. @default 'newest' */
  readonly drop?: 'oldest' | 'newest'
  /** So many that were sent may wait for room in the window. @default 1024 */
  readonly queue?: number
}
