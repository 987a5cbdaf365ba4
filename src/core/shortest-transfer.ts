import { type Bytes, type Seconds, seconds } from './units.ts'
import type { World } from './world.ts'

export interface Transfer {
  /** Devices on the way, the starting one left out, the target last; empty when the start is a target. */
  readonly hops: readonly number[]
  readonly takes: Seconds
}

/**
 * The fastest unloaded way to carry `size` bytes from `from` to the nearest device that `isTarget`, over links that
 * are up, through devices that are up. Dijkstra, 1959; ties go to the lower device number.
 * @returns undefined when no target can be reached
 */
export const shortestTransfer = (
  world: World,
  from: number,
  size: Bytes,
  isTarget: (device: number) => boolean
): Transfer | undefined => {
  const count = world.devices.length
  const takes = new Float64Array(count).fill(Number.POSITIVE_INFINITY)
  const previous = new Int32Array(count).fill(-1)
  const settled = new Uint8Array(count)
  takes[from] = 0
  for (;;) {
    const here = nearestUnsettled(takes, settled)
    if (here === -1) return undefined
    if (isTarget(here)) return { hops: trace(previous, from, here), takes: seconds(takes[here]!) }
    settled[here] = 1
    if (here !== from && !world.devices[here]!.relays) continue
    for (const link of world.links[here]!) {
      if (!link.up || !world.devices[link.to]!.up) continue
      const candidate = takes[here]! + size / link.rate + link.latency
      if (candidate < takes[link.to]!) {
        takes[link.to] = candidate
        previous[link.to] = here
      }
    }
  }
}

const nearestUnsettled = (takes: Float64Array, settled: Uint8Array): number => {
  let best = -1
  for (let n = 0; n < takes.length; n++) {
    if (settled[n] === 0 && takes[n]! < (best === -1 ? Number.POSITIVE_INFINITY : takes[best]!)) best = n
  }
  return best
}

const trace = (previous: Int32Array, from: number, to: number): number[] => {
  const hops: number[] = []
  for (let n = to; n !== from; n = previous[n]!) hops.unshift(n)
  return hops
}
