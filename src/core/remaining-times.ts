import { type Seconds, seconds } from './units.ts'
import type { World } from './world.ts'

/** Unloaded seconds from (device, blocks done) until the result is home; Infinity where there is no way. */
export type RemainingTime = (device: number, done: number) => Seconds

/**
 * The shortest unloaded way to the end from every state of the layered graph of (device, blocks done), backwards from
 * (home, K): layer by layer, inside a layer Dijkstra over the links. O(K n^2) for n devices.
 */
export const remainingTimes = (world: World, model: number, home: number): RemainingTime => {
  const { work, activations } = world.models[model]!
  const count = world.devices.length
  const layers: Float64Array[] = []
  let layer = new Float64Array(count).fill(Number.POSITIVE_INFINITY)
  layer[home] = 0
  for (let k = work.length; ; k--) {
    settleLinks(world, layer, activations[k]!)
    layers[k] = layer
    if (k === 0) break
    const before = new Float64Array(count).fill(Number.POSITIVE_INFINITY)
    for (let n = 0; n < count; n++) {
      if (world.mayRun(n, model, k - 1, home)) before[n] = layer[n]! + world.blockTime(n, model, k - 1)
    }
    layer = before
  }
  return (device, done) => seconds(layers[done]![device]!)
}

/** Let each device pass its activation to a neighbour that is nearer to the end. */
const settleLinks = (world: World, times: Float64Array, size: number): void => {
  const settled = new Uint8Array(times.length)
  const ownTimes = times.slice()
  for (;;) {
    let next = -1
    for (let n = 0; n < times.length; n++) {
      if (settled[n] === 0 && times[n]! < (next === -1 ? Number.POSITIVE_INFINITY : times[next]!)) next = n
    }
    if (next === -1) return
    settled[next] = 1
    const { up: isUp, relays } = world.devices[next]!
    if (!isUp) continue
    const fromThere = relays ? times[next]! : ownTimes[next]!
    for (let n = 0; n < times.length; n++) {
      const link = settled[n] === 1 ? undefined : world.link(n, next)
      if (link?.up !== true) continue
      times[n] = Math.min(times[n]!, fromThere + size / link.rate + link.latency)
    }
  }
}
