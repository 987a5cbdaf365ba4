import { type Seconds, seconds } from '../../core/units.ts'
import type { Foresee } from '../../planner/outlook.ts'
import { systemClock } from '../system-clock.ts'
import { askPlanner } from './ask-planner.ts'

/** Of the clock on the wall: the process gives way to all others, so seconds of work may take minutes on a busy machine. */
const PATIENCE: Seconds = seconds(120)

/** An outlook from a process of its own, which disturbs no plan; ended where it takes too long. @throws Error in words */
export const foreseeApart: Foresee = async question => {
  const [late, over] = [new AbortController(), new AbortController()]
  void systemClock.sleep(PATIENCE, { signal: over.signal }).then(
    () => late.abort(),
    () => {} // it was answered
  )
  try {
    const answer = await askPlanner({ kind: 'outlook', question }, late.signal)
    if (answer.kind === 'outlook') return answer.outlook
    if (late.signal.aborted) throw new Error(`the planner had no answer after ${PATIENCE} s`)
    throw new Error(`the planner failed (${answer.kind === 'failed' ? answer.because : 'it answered something else'})`)
  } finally {
    over.abort()
  }
}
