import { deviceId, modelId } from '../core/ids.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { World } from '../core/world.ts'

export interface SmallWorld {
  /** Speed of each device. */
  readonly speeds: readonly number[]
  /** Of each device. @default 1 */
  readonly lanes?: readonly number[]
  /** Work of each block, in seconds at speed 1. */
  readonly work: readonly number[]
  /** Bytes of each activation; one more than blocks. */
  readonly activations: readonly number[]
  /** Bytes per second and seconds, for every pair, or for those that are given. */
  readonly link?: { readonly rate: number; readonly latency: number }
  readonly pairs?: readonly (readonly [from: number, to: number])[]
  /** Blocks of each device; every block everywhere when absent. */
  readonly carried?: readonly (readonly number[])[]
  /** Whether the first block is pinned to the source's device. */
  readonly pinned?: boolean
}

/** A world with one model, for tests of policies. */
export const smallWorld = ({
  speeds,
  lanes = [],
  work,
  activations,
  link,
  pairs,
  carried,
  pinned = false
}: SmallWorld): World => {
  const world = new World()
  const model = world.addModel({
    id: modelId('toy'),
    work: work.map(seconds),
    activations: activations.map(bytes),
    pinned
  })
  for (const [n, speed] of speeds.entries()) world.addDevice(deviceId(`d${n}`), speed, lanes[n])
  const all = speeds.flatMap((_, from) => speeds.flatMap((_, to) => (from === to ? [] : [[from, to] as const])))
  const { rate, latency } = link ?? { rate: 1e6, latency: 0 }
  for (const [from, to] of pairs ?? all) world.setLink(from, to, bytesPerSecond(rate), seconds(latency))
  for (const n of speeds.keys()) for (const k of carried?.[n] ?? work.keys()) world.setCarried(n, model, k, true)
  return world
}
