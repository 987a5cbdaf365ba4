import type { ChildProcess } from 'node:child_process'
import type { OutlookQuestion } from '../../planner/outlook.ts'
import type { PlacementProblem } from '../../planner/placement.ts'
import { onceEnded } from '../once-ended.ts'
import { forkPlanner } from './fork-planner.ts'
import type { PlanAnswer } from './plan-answer.ts'

/** What the planner's process is asked, once. */
export type PlanQuestion =
  | { readonly kind: 'place'; readonly problem: PlacementProblem }
  | { readonly kind: 'outlook'; readonly question: OutlookQuestion }

/**
 * The planner in a process of its own, for one question: it may compute for seconds while this device goes on, and
 * what the solver took of memory is the machine's again when it ends (docs/decisions/0008). It ends with its answer, or
 * with this device. Never rejects.
 * @param signal ends it
 * @param child that was asked nothing so far
 */
export const askPlanner = (
  question: PlanQuestion,
  signal: AbortSignal,
  child: ChildProcess = forkPlanner()
): Promise<PlanAnswer> =>
  new Promise(resolve => {
    const end = (): void => void child.kill('SIGKILL')
    const answered = (answer: PlanAnswer): void => {
      signal.removeEventListener('abort', end)
      child.removeAllListeners()
      child.on('error', () => {}) // that it was ended is known
      resolve(answer)
    }
    const failed = (because: string): void => answered({ kind: 'failed', because })
    child.once('message', answered)
    child.once('error', error => failed(error.message))
    onceEnded(child, (code, name) => failed(`its process ended with ${code ?? name}`))
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
    child.send(question)
  })
