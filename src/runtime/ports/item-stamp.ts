import type { Seconds } from '../../core/units.ts'

/** What an item looks like from outside. */
export interface ItemStamp {
  /** While it is the same, the item has most likely not changed: of files their sizes, times and numbers. */
  readonly id: string
  /** When it was changed last, as wall time says where it is. */
  readonly modified: Seconds
  /** Nothing of it will change: what is wrong with it stays so. @default false */
  readonly isFinal?: boolean
}
