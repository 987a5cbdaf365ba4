import type { Seconds } from './units.ts'
import type { LinkView, World } from './world.ts'

/** What the search pays for using a resource now, per second of use. */
export type Price = (resource: number) => number

export interface PathQuery {
  readonly world: World
  readonly model: number
  readonly from: number
  /** Blocks already done. */
  readonly done: number
  readonly home: number
  readonly price: Price
  /** What a second of propagation delay costs. */
  readonly latencyPrice: Seconds
  /** What waiting for resources costs. Default: nothing. */
  readonly waiting?: Waiting | undefined
  /** What running a block on a device costs besides its time. Default: nothing. */
  readonly blockPrice?: (device: number, block: number) => number
  /** What sending over a link costs besides its time. Default: nothing. */
  readonly linkPrice?: (link: LinkView) => number
  /** Seconds that a block takes of a device, where that is not its time alone. Default: its time, as the world knows it. */
  readonly takes?: ((device: number, block: number) => Seconds) | undefined
  /** A path that costs more is of no interest: the search does not go there. Default: any is. */
  readonly atMost?: number
  /** A path that costs by no more than this share more than the cheapest is as good, and found sooner. Default: 0. */
  readonly slack?: number
  /** No worker and no link has a lower price: the better it is known, the fewer devices are looked at. Default: 0, nothing is known. */
  readonly leastPrice?: number
}

/** A path waits at a resource for as long as that is still busy when it gets there. */
export interface Waiting {
  /** Seconds from now until the resource is free. */
  readonly until: (resource: number) => number
  /** What a second of waiting costs. */
  readonly price: Seconds
}
