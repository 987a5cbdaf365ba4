import type { Window } from '../core/window.ts'

/** What the protocol can say. */
const MOST = 65_535
/** Where the source finds out how many may be under way: each may have many MiB. */
const AUTO = 64

/** So many messages are taken from a broker before one is acknowledged. */
export const unacknowledgedOf = (window: Window, queue: number): number =>
  Math.min(MOST, (window === 'auto' ? AUTO : window) + queue)
