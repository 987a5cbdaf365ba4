import { expect } from 'vitest'
import { loadPlannedPlace } from './planned-place.ts'
import { describeBroken, runSeeds } from './run-seeds.ts'
import { range } from './scenario.ts'

/** Seeds from `first` on, `count` of them, `step` apart: each a cluster of its own, in which every law is kept. */
export const expectLawsKept = async (first: number, count: number, step = 1): Promise<void> => {
  const planned = await loadPlannedPlace()
  const { ran, broken } = await runSeeds(
    range(count).map(i => first + step * i),
    { planned }
  )
  expect(broken.map(describeBroken).join('\n\n')).toBe('')
  expect(ran).toBe(count)
}

/** How many seeds `npm test` runs in all, unless it is told otherwise. */
export const SEEDS = Number(process.env['TRIBUTARY_SEEDS'] ?? 300)
