import { existsSync } from 'node:fs'
import type { OutlookQuestion } from '../../planner/outlook.ts'
import type { PlacementProblem } from '../../planner/placement.ts'
import { forkApart } from '../fork-apart.ts'
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
 */
export const askPlanner = (question: PlanQuestion, signal?: AbortSignal): Promise<PlanAnswer> =>
  new Promise(resolve => {
    // Problems and placements are made of maps, and memory can be Infinity.
    const child = forkApart(script(), [], { serialization: 'advanced', execArgv: SPARING, signal })
    const answered = (answer: PlanAnswer): void => {
      child.removeAllListeners()
      child.on('error', () => {}) // that it was ended is known
      resolve(answer)
    }
    const failed = (because: string): void => answered({ kind: 'failed', because })
    child.once('message', answered)
    child.once('error', error => failed(error.message))
    child.once('exit', (code, name) => failed(`its process ended with ${code ?? name}`))
    child.send(question)
    // A device that stops does not wait for a plan.
    child.unref()
    child.channel?.unref()
  })

/**
 * A plan is mostly the solver's code being compiled: only what turns out to run for long is worth the optimizing compiler
 * (half the processor time of a small plan, and nothing lost for a large one).
 */
const SPARING = ['--wasm-tiering-budget=100000000']

/** Node runs the built file; tests run the sources and take it from the build. */
const script = (): URL => {
  const compiled = new URL('./plan-process.js', import.meta.url)
  const built = new URL('../../../dist/src/runtime/planning/plan-process.js', import.meta.url)
  return existsSync(compiled) ? compiled : built
}
