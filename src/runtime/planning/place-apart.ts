import { type Seconds, seconds } from '../../core/units.ts'
import type { Place } from '../../planner/placement.ts'
import { proportionalPlacement } from '../../planner/proportional-placement.ts'
import { systemClock } from '../system-clock.ts'
import { askPlanner } from './ask-planner.ts'
import type { PlanAnswer } from './plan-answer.ts'
import type { SparePlanner } from './spare-planner.ts'

/** Of the clock on the wall: what others state may make a problem whose preparation alone takes longer than any limit of the search. */
const PATIENCE: Seconds = seconds(60)

/**
 * Plans in a process of its own, one plan at a time. Where that fails or takes too long, blocks are placed simply.
 * @param spare where the process may have been started already
 */
export const placeApart =
  (
    say: (text: string, level?: 'warn') => void,
    patience: Seconds = PATIENCE,
    spare?: Pick<SparePlanner, 'take'>
  ): Place =>
  async problem => {
    const [late, over] = [new AbortController(), new AbortController()]
    void systemClock.sleep(patience, { signal: over.signal }).then(
      () => late.abort(),
      () => {} // it was answered
    )
    const answer = await askPlanner({ kind: 'place', problem }, late.signal, spare?.take())
    over.abort()
    if (answer.kind === 'planned') return answer.outcome
    const because = late.signal.aborted ? `it had no answer after ${patience} s` : causeOf(answer)
    say(`the planner failed (${because}); blocks are placed in proportion to speed`, 'warn')
    return proportionalPlacement(problem)
  }

const causeOf = (answer: PlanAnswer): string =>
  answer.kind === 'failed' ? answer.because : 'it answered something else'
