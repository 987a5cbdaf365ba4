import type { ItemLike } from './tensor-like.ts'

/** Data of a program, each asked for once. */
export type Items = Iterable<ItemLike> | AsyncIterable<ItemLike>

export interface SourceOptions {
  /** Unique among the sources of this device that have not ended. */
  readonly name: string
  /** The model's name, wherever in the cluster it is owned. @default this device's own, or the cluster's only one */
  readonly model?: string
  /** How many data may be on their way at once. @default 16 */
  readonly window?: number
  /** What it counts beside other sources, where the policy minds. @default 1 */
  readonly weight?: number
  /** So many data a second are expected, for the placement. @default as many as can be served */
  readonly rate?: number
}

export interface IterableSourceOptions extends SourceOptions {
  /** Its data, asked for one after the other, each when the window has room. */
  readonly items: Items
}

export interface SendingSourceOptions extends SourceOptions {
  readonly items?: undefined
  /** So many that were sent may wait for room in the window; more are dropped. @default 1024 */
  readonly queue?: number
}
