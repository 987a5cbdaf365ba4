import { expect, test } from 'vitest'
import { createRng } from '../core/rng.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { BlockTable } from './block-table.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import { pipelineBlocks, pipelinePlacement, pipelineScale } from './pipeline-placement.ts'

const boards = (memory: readonly number[], blocks: number, sources = [0]): CapacityProblem => ({
  devices: memory.map((size, n) => ({ name: `d${n}`, speed: 1, memory: bytes(size) })),
  links: memory.flatMap((_, from) =>
    memory.flatMap((_, to) => (from === to ? [] : [{ from, to, rate: bytesPerSecond(1e9), latency: seconds(0) }]))
  ),
  models: [
    {
      name: 'net',
      work: Array.from({ length: blocks }, () => seconds(1)),
      weights: Array.from({ length: blocks }, () => bytes(1)),
      activations: Array.from({ length: blocks + 1 }, () => bytes(1))
    }
  ],
  sources: sources.map((device, s) => ({ name: `s${s}`, device, model: 0, demand: 1 }))
})

/** Any placement that serves everybody: runs of blocks along the devices, as far as memory goes, then again from the start. */
const planned = (problem: CapacityProblem): BlockTable => {
  const table = new BlockTable(problem)
  const blocks = problem.models[0]!.work.length
  let next = 0
  for (const n of problem.devices.keys())
    for (let put = 0; put < blocks && table.put(n, 0, next % blocks); put++) next++
  return table
}

test('with memory for everything, everything is everywhere', () => {
  const problem = boards([9, 9, 9], 8)
  const table = pipelinePlacement(problem, planned(problem))
  for (let n = 0; n < 3; n++) for (let k = 0; k < 8; k++) expect(table.carries(n, 0, k)).toBe(true)
})

test('with memory for parts, the blocks are where the best pipeline within memory needs them', () => {
  // Ten boards, 30 blocks, 4 fit on each: ten stages of three.
  const problem = boards(new Array<number>(10).fill(4), 30)
  const table = pipelinePlacement(problem, planned(problem))
  expect(pipelineScale(problem, table)).toBeCloseTo(1 / 3, 6)
  // One board holds 12, the others 2: stages of two on nine of them, and what is left, 12, on the large one.
  const uneven = boards([2, 12, 2, 2, 2, 2, 2, 2, 2, 2], 30)
  expect(pipelineScale(uneven, pipelinePlacement(uneven, planned(uneven)))).toBeCloseTo(1 / 12, 6)
})

test('is never worse for pipelines than what the planner has found', () => {
  const rng = createRng('pipelines')
  for (let round = 0; round < 40; round++) {
    const memory = Array.from({ length: 4 }, () => 2 + Math.floor(5 * rng.next()))
    const problem = boards(memory, 8, rng.next() < 0.5 ? [0] : [0, 2])
    const before = planned(problem)
    if (pipelineScale(problem, before) === 0) continue
    const table = pipelinePlacement(problem, before)
    expect(pipelineScale(problem, table)).toBeGreaterThanOrEqual(pipelineScale(problem, before) * (1 - 1e-9))
    for (const n of memory.keys()) expect([...table.of(n)].length).toBeLessThanOrEqual(memory[n]!)
  }
})

test('between the pipelines of two sources the search can be ended', () => {
  const problem = boards([4, 4, 4], 8, [0, 1])
  let asked = 0
  const time = { mayGoOn: () => ++asked < 2, left: () => 1 }
  expect(pipelineBlocks(problem, { time })).toBeUndefined()
  expect(asked).toBe(2)
  expect(pipelineBlocks(problem)).toBeDefined()
})
