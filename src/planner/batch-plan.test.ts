import { expect, test } from 'vitest'
import { batchCurve } from '../core/batch-curve.ts'
import { bytes, seconds } from '../core/units.ts'
import { loadSolver } from '../testing/load-solver.ts'
import { capacityBound } from './capacity-bound.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import { unloadedTimes } from './plan.ts'

const curve = batchCurve([
  { size: 2, times: 1.5 },
  { size: 4, times: 2 }
])!

const problem = (hasCurve: boolean): CapacityProblem => ({
  devices: [{ name: 'a', speed: 2, memory: bytes(1e9) }],
  links: [],
  models: [
    {
      ...{ name: 'm', work: [seconds(1), seconds(1)], weights: [bytes(1), bytes(1)] },
      activations: [bytes(1), bytes(1), bytes(1)],
      ...(hasCurve ? { batch: [[curve, undefined]] } : {})
    }
  ],
  sources: [{ name: 's', device: 0, model: 0, demand: 1 }]
})

test('a plan is for full batches, an unloaded datum for itself', async () => {
  const solve = await loadSolver()
  const scale = (hasCurve: boolean): number => {
    const outcome = capacityBound(problem(hasCurve), () => true, solve)
    return outcome.kind === 'bound' ? outcome.bound.scale : Number.NaN
  }
  expect(scale(false)).toBeCloseTo(1, 6)
  // Half a second of each block at speed 2; of four data at once, a quarter of a second of the first.
  expect(scale(true)).toBeCloseTo(1 / 0.75, 6)
  expect(unloadedTimes(problem(true), () => true)).toEqual([expect.closeTo(1, 9)])
})
