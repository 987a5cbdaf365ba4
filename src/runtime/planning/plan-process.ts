import { createRng } from '../../core/rng.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { plannedPlacement } from '../../planner/planned-placement.ts'
import { loadMipSolver, loadSolver } from '../highs.ts'
import { lowerPriority } from '../lower-priority.ts'
import { systemClock } from '../system-clock.ts'
import type { PlanQuestion } from './ask-planner.ts'
import type { PlanAnswer } from './plan-answer.ts'

/** The process: a question in, an answer out. The solver is synchronous and may take seconds, so it runs here. */
const TIME_LIMIT = seconds(2)
/** Where other processes have the processor, the limit counts what this one gets of it: up to so many times as long. */
const LONGER = 8
/**
 * Of processor time, starting up among it: so long a plan goes beside what is under way, for others wait for it, and with a tenth
 * of what any of them gets it took half a minute beside a dozen of them. One that takes longer gives way.
 */
const AT_ONCE: Seconds = seconds(1.5)
let gaveWay = false

const giveWay = (): void => {
  gaveWay = true
  lowerPriority()
}

const solvers = Promise.all([loadSolver(), loadMipSolver()])

// A device that is gone needs no plan.
process.once('disconnect', () => process.exit())
process.once('message', async (question: PlanQuestion) => {
  process.send!(await answer(question), () => process.disconnect())
})

const answer = async (asked: PlanQuestion): Promise<PlanAnswer> => {
  try {
    if (asked.kind === 'outlook') giveWay() // nobody's data wait for it
    const [solve, solveMip] = await solvers
    const parts = { solve, solveMip, rng: createRng('plan'), now: processorTime, timeLimit: TIME_LIMIT }
    if (asked.kind === 'outlook') {
      const { outlook } = await import('../../planner/outlook.ts')
      return { kind: 'outlook', outlook: outlook(asked.question, parts) }
    }
    return { kind: 'planned', outcome: plannedPlacement(asked.problem, parts) }
  } catch (error) {
    return { kind: 'failed', because: error instanceof Error ? error.message : String(error) }
  }
}

/** A plan is as good on a busy machine as on an idle one. Not stopped by a machine that gives it nothing. */
const processorTime = (): Seconds => {
  const { user, system } = process.cpuUsage()
  if (!gaveWay && user + system > 1e6 * AT_ONCE) giveWay()
  return seconds(Math.max((user + system) / 1e6, systemClock.now() / LONGER))
}
