import { parentPort } from 'node:worker_threads'
import { createRng } from '../../core/rng.ts'
import { seconds } from '../../core/units.ts'
import type { PlacementProblem } from '../../planner/placement.ts'
import { plannedPlacement } from '../../planner/planned-placement.ts'
import { loadMipSolver, loadSolver } from '../highs.ts'
import { systemClock } from '../system-clock.ts'

/** The thread: problems in, outcomes out. The solver is synchronous and may take a second, so it runs here. */
const TIME_LIMIT = seconds(2)

const solvers = Promise.all([loadSolver(), loadMipSolver()])

parentPort!.on('message', async (problem: PlacementProblem) => {
  const [solve, solveMip] = await solvers
  const parts = { solve, solveMip, rng: createRng('plan'), now: () => systemClock.now(), timeLimit: TIME_LIMIT }
  parentPort!.postMessage(plannedPlacement(problem, parts))
})
