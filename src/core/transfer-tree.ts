import type { Bytes } from './units.ts'
import type { World } from './world.ts'

/** The fastest unloaded ways from one device to all others, by device; Infinity and -1 where there is none. */
export interface TransferTree {
  readonly takes: Float64Array
  /** The hop that takes longest to send, latency left out: what limits the rate of a pipeline over this way. */
  readonly slowest: Float64Array
  readonly previous: Int32Array
}

/** `shortestTransfer` to every device at once: the same ways. Dijkstra, 1959; ties go to the lower device number. */
export const transferTree = (world: World, from: number, size: Bytes): TransferTree => {
  const count = world.devices.length
  const takes = new Float64Array(count).fill(Number.POSITIVE_INFINITY)
  const slowest = new Float64Array(count).fill(Number.POSITIVE_INFINITY)
  const previous = new Int32Array(count).fill(-1)
  const settled = new Uint8Array(count)
  takes[from] = 0
  slowest[from] = 0
  for (;;) {
    let here = -1
    for (let n = 0; n < count; n++) {
      if (settled[n] === 0 && takes[n]! < (here === -1 ? Number.POSITIVE_INFINITY : takes[here]!)) here = n
    }
    if (here === -1) return { takes, slowest, previous }
    settled[here] = 1
    if (here !== from && !world.devices[here]!.relays) continue
    for (const link of world.links[here]!) {
      if (!link.up || !world.devices[link.to]!.up) continue
      const sending = size / link.rate
      const reached = takes[here]! + sending + link.latency
      if (reached >= takes[link.to]!) continue
      takes[link.to] = reached
      slowest[link.to] = Math.max(slowest[here]!, sending)
      previous[link.to] = here
    }
  }
}
