import { createRng } from '../src/core/rng.ts'
import { seconds } from '../src/core/units.ts'
import type { CapacityProblem } from '../src/planner/capacity-problem.ts'
import { type Plan, plan } from '../src/planner/plan.ts'
import { loadMipSolver, loadSolver } from '../src/runtime/highs.ts'
import { systemClock } from '../src/runtime/system-clock.ts'
import { randomNetwork } from './random-network.ts'

/** The bound must be tight, or a fraction of it says little: nearly all plans take less than a second, memory-37 takes 40. */
const PLANNING = seconds(120)

/** A network of the random suite, by its name, free-N or memory-N, with its placement. */
export const plannedNetwork = async (
  name: string
): Promise<{ readonly problem: CapacityProblem; readonly found: Plan }> => {
  const problem = randomNetwork(createRng(name), name.startsWith('memory'))
  const [solve, solveMip] = [await loadSolver(), await loadMipSolver()]
  const parts = { solve, solveMip, rng: createRng('plan'), now: () => systemClock.now(), timeLimit: PLANNING }
  const outcome = plan(problem, parts)
  if (outcome.kind === 'infeasible') throw new Error(`${name}: ${outcome.because}`)
  return { problem, found: outcome.plan }
}

/** The names of so many networks of each kind. @param word a number, or the name of one network */
export const networkNames = (word: string): string[] => {
  if (/^(free|memory)-\d+$/.test(word)) return [word]
  const count = Number(word)
  if (!Number.isInteger(count) || count < 1)
    throw new Error(`"${word}" is neither a number of networks nor free-N or memory-N`)
  return ['free', 'memory'].flatMap(kind => Array.from({ length: count }, (_, i) => `${kind}-${i}`))
}
