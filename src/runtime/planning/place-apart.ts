import type { Place } from '../../planner/placement.ts'
import { proportionalPlacement } from '../../planner/proportional-placement.ts'
import { askPlanner } from './ask-planner.ts'

/** Plans in a process of its own, one plan at a time. Where that fails, blocks are placed simply. */
export const placeApart =
  (say: (text: string, level?: 'warn') => void): Place =>
  async problem => {
    const answer = await askPlanner({ kind: 'place', problem })
    if (answer.kind === 'planned') return answer.outcome
    const because = answer.kind === 'failed' ? answer.because : 'it answered something else'
    say(`the planner failed (${because}); blocks are placed in proportion to speed`, 'warn')
    return proportionalPlacement(problem)
  }
