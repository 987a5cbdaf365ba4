import { createRng } from '../core/rng.ts'
import type { World } from '../core/world.ts'
import { smallWorld } from './small-world.ts'

/** The size that budgets are stated for: 20 devices, all linked, 24 blocks; each block on each device this likely. */
export const largeWorld = (carried: number): World => {
  const rng = createRng('large world')
  const devices = 20
  const blocks = Array.from({ length: 24 }, (_, k) => k)
  return smallWorld({
    speeds: Array.from({ length: devices }, () => 0.25 + 1.75 * rng.next()),
    work: blocks.map(() => 0.002 + 0.01 * rng.next()),
    activations: [...blocks, 24].map(() => 1e5 + 1e6 * rng.next()),
    link: { rate: 1e7, latency: 0.002 },
    carried: Array.from({ length: devices }, (_, n) => blocks.filter(k => k % devices === n || rng.next() < carried))
  })
}
