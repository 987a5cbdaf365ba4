import { createRng } from '../../core/rng.ts'
import { milliseconds, seconds } from '../../core/units.ts'
import type { Place } from '../../planner/placement.ts'
import { plannedPlacement } from '../../planner/planned-placement.ts'
import { loadMipSolver, loadSolver } from '../../runtime/highs.ts'

/** Problems of this size are solved long before: the limit is counted in looks at the clock, so that nothing depends on the machine. */
const LOOK = milliseconds(1)
const TIME_LIMIT = seconds(2)

/** The planner, in this process: the same problem has the same plan, whatever else the machine does. */
export const loadPlannedPlace = async (): Promise<Place> => {
  const [solve, solveMip] = await Promise.all([loadSolver(), loadMipSolver()])
  return problem => {
    let looks = 0
    const now = () => seconds(looks++ * LOOK)
    return plannedPlacement(problem, { solve, solveMip, rng: createRng('plan'), now, timeLimit: TIME_LIMIT })
  }
}
