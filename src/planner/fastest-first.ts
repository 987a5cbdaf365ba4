import { blockTime } from './block-time.ts'
import type { CapacityProblem } from './capacity-problem.ts'

/** Devices by what the blocks of all models take there together; where nothing was measured, by speed. Ties to the lower number. */
export const fastestFirst = (problem: CapacityProblem): number[] => {
  const timed = problem.models.some(({ times }) => times !== undefined)
  const speed = problem.devices.map((device, n) =>
    timed ? 1 / timeOfAll(problem, n) : device.speed * (device.lanes ?? 1)
  )
  return [...problem.devices.keys()].sort((a, b) => speed[b]! - speed[a]! || a - b)
}

const timeOfAll = (problem: CapacityProblem, n: number): number =>
  problem.models.reduce((sum, { work }, m) => work.reduce((time, _, k) => time + blockTime(problem, n, m, k), sum), 0)
