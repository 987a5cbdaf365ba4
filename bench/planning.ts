import { createRng } from '../src/core/rng.ts'
import { bytes, megabitsPerSecond, seconds } from '../src/core/units.ts'
import type { CapacityProblem } from '../src/planner/capacity-problem.ts'
import { plan } from '../src/planner/plan.ts'
import { loadMipSolver, loadSolver } from '../src/runtime/highs.ts'
import { systemClock } from '../src/runtime/system-clock.ts'
import { judge } from './judge.ts'

// How long a plan takes, and its gap: 20 devices, 4 sources, 24 blocks (budget 2 s); 100 devices, 10 sources (10 s); 1,000 devices,
// 100 sources (120 s). Memory for 40-80 % of the model, full mesh. The time limit is the budget, and counts from the first call.

const [solve, solveMip] = [await loadSolver(), await loadMipSolver()]

/** Seconds beyond the limit that a step which cannot be interrupted may take. */
const GRACE = 1

const network = (devices: number, sources: number, blocks: number, seed: string): CapacityProblem => {
  const rng = createRng(seed)
  const between = (low: number, high: number): number => low * (high / low) ** rng.next()
  const weights = Array.from({ length: blocks }, () => bytes(Math.round(between(0.5e6, 6e6))))
  const model = weights.reduce((a, b) => a + b, 0)
  return {
    devices: Array.from({ length: devices }, (_, n) => ({
      name: `d${n}`,
      speed: between(0.25, 2),
      memory: bytes(model * (0.4 + 0.4 * rng.next()))
    })),
    links: Array.from({ length: devices }, (_, from) =>
      Array.from({ length: devices }, (_, to) => ({
        from,
        to,
        rate: megabitsPerSecond(between(20, 300)),
        latency: seconds(0.002)
      }))
    )
      .flat()
      .filter(({ from, to }) => from !== to),
    models: [
      {
        name: 'net',
        work: Array.from({ length: blocks }, () => seconds(between(0.005, 0.04))),
        weights,
        activations: Array.from({ length: blocks + 1 }, (_, k) =>
          bytes(Math.round(between(0.1e6, 2e6) * (1 - (0.9 * k) / blocks)))
        )
      }
    ],
    sources: Array.from({ length: sources }, (_, i) => ({ name: `s${i}`, device: i, model: 0, demand: 1 }))
  }
}

for (const [devices, sources, blocks, limit] of [
  [20, 4, 24, 2],
  [100, 10, 24, 10],
  [1000, 100, 24, 120]
] as const) {
  for (const seed of ['a', 'b', 'c'].slice(0, devices > 50 ? 1 : 3)) {
    const problem = network(devices, sources, blocks, seed)
    const start = systemClock.now()
    const outcome = plan(problem, {
      solve,
      solveMip,
      rng: createRng('plan'),
      now: () => systemClock.now(),
      timeLimit: seconds(limit)
    })
    const took = systemClock.now() - start
    const what = `${devices} devices, ${sources} sources, ${blocks} blocks, seed ${seed}`
    if (outcome.kind === 'infeasible')
      process.stdout.write(`${what}: infeasible in ${took.toFixed(2)} s: ${outcome.because}\n`)
    else {
      const { status, gap, predicted, upper } = outcome.plan
      process.stdout.write(
        judge(
          what,
          `${took.toFixed(2)} s, ${status}, gap ${(100 * gap).toFixed(2)} %, serves ${predicted.scale.toPrecision(4)} of at most ${upper.toPrecision(4)}`,
          took,
          { atMost: limit + GRACE }
        )
      )
    }
  }
}
