import { createRng } from '../core/rng.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import type { CreatePolicy } from '../scheduler/policy.ts'
import type { SimulationInput } from '../simulator/simulation-input.ts'

export interface SparseNetwork {
  readonly shape: 'ring' | 'chain' | 'star'
  readonly seed: number
  /** How likely a device carries a block besides the one device that surely does. */
  readonly carried: number
}

/** A random small network without all the links, with memory limits; every block is carried somewhere. Two sources. */
export const sparseNetwork = ({ shape, seed, carried }: SparseNetwork, policy: CreatePolicy): SimulationInput => {
  const rng = createRng(`sparse ${seed}`)
  const below = (n: number): number => Math.floor(rng.next() * n)
  const count = 3 + below(4)
  const blocks = 1 + below(7)
  const surely = Array.from({ length: blocks }, () => below(count))
  const holds = surely.map(owner => Array.from({ length: count }, (_, n) => n === owner || rng.next() < carried))
  const others = Array.from({ length: count - 1 }, (_, i) => i + 1)
  const pairs = others.map((n): [number, number] => (shape === 'star' ? [0, n] : [n - 1, n]))
  if (shape === 'ring') pairs.push([count - 1, 0])
  const link = (from: number, to: number) => ({
    from,
    to,
    rate: bytesPerSecond(5e5 * 40 ** rng.next()),
    latency: seconds(0.01 * rng.next())
  })
  return {
    devices: Array.from({ length: count }, (_, n) => ({ name: `d${n}`, speed: 0.25 * 8 ** rng.next() })),
    links: pairs.flatMap(([a, b]) => [link(a, b), link(b, a)]),
    models: [
      {
        name: 'm',
        work: Array.from({ length: blocks }, () => seconds(0.005 + 0.05 * rng.next())),
        activations: Array.from({ length: blocks + 1 }, () => bytes(Math.floor(2e5 * rng.next())))
      }
    ],
    sources: [0, count - 1].map((device, i) => ({
      name: `s${i}`,
      device,
      model: 0,
      weight: 1,
      count: 20,
      window: 1 + below(8),
      availableAt: i === 0 ? undefined : (datum: number) => seconds(0.03 * datum)
    })),
    carries: (n, _, k) => holds[k]![n]!,
    policy
  }
}
