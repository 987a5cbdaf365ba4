import type { Rng } from '../src/core/rng.ts'
import { type Bytes, type BytesPerSecond, bytes, megabitsPerSecond, seconds } from '../src/core/units.ts'
import type { CapacityProblem } from '../src/planner/capacity-problem.ts'
import { wholeBetween } from './whole-between.ts'

/** The random networks of DESIGN section 5: all quantities drawn log-uniformly between their ends. */
export const randomNetwork = (rng: Rng, limitedMemory: boolean): CapacityProblem => {
  const between = (low: number, high: number): number => low * (high / low) ** rng.next()
  const whole = (low: number, high: number): number => wholeBetween(rng, low, high)
  const workers = whole(3, 6)
  const blocks = whole(8, 15)
  const total = between(0.05, 0.5)
  const shares = Array.from({ length: blocks }, () => between(0.4, 2.5))
  const sum = shares.reduce((a, b) => a + b, 0)
  const input = between(0.15e6, 6e6)
  const weights = Array.from({ length: blocks }, () => bytes(Math.round(between(0.5e6, 6e6))))
  const modelBytes = weights.reduce((a, b) => a + b, 0)
  const radio = rng.next() < 0.3
  const air = megabitsPerSecond(between(20, 300))
  const memory = (): Bytes =>
    limitedMemory ? bytes(modelBytes * (0.4 + 0.4 * rng.next())) : bytes(Number.POSITIVE_INFINITY)
  const rate = (): BytesPerSecond => (radio ? air : megabitsPerSecond(between(20, 300)))
  const pairs = Array.from({ length: workers }, (_, from) =>
    Array.from({ length: workers }, (_, to) => ({ from, to }))
  ).flat()
  return {
    devices: Array.from({ length: workers }, (_, n) => ({ name: `d${n}`, speed: between(0.25, 2), memory: memory() })),
    links: pairs
      .filter(({ from, to }) => from !== to)
      .map(({ from, to }) => ({ from, to, rate: rate(), latency: seconds(0.002), ...(radio ? { medium: 0 } : {}) })),
    models: [
      {
        name: 'net',
        work: shares.map(share => seconds((total * share) / sum)),
        weights,
        activations: Array.from({ length: blocks + 1 }, (_, k) =>
          bytes(
            Math.round(k === 0 ? input : k === blocks ? 4000 : input * between(0.1, 1.5) * (1 - (0.8 * k) / blocks))
          )
        )
      }
    ],
    sources: Array.from({ length: whole(1, 3) }, (_, i) => ({ name: `s${i}`, device: i, model: 0, demand: 1 }))
  }
}
