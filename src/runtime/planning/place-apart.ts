import { existsSync } from 'node:fs'
import type { Place, PlacementOutcome } from '../../planner/placement.ts'
import { proportionalPlacement } from '../../planner/proportional-placement.ts'
import { forkApart } from '../fork-apart.ts'
import type { PlanAnswer } from './plan-answer.ts'

/**
 * The planner in a process of its own, for one plan at a time: it may compute for seconds while this device goes on, and
 * what the solver took of memory is the machine's again when it ends (docs/decisions/0008). It ends with its answer, or
 * with this device. Where it fails, blocks are placed simply.
 */
export const placeApart =
  (say: (text: string, level?: 'warn') => void): Place =>
  problem =>
    new Promise<PlacementOutcome>(resolve => {
      // Problems and placements are made of maps, and memory can be Infinity.
      const child = forkApart(script(), [], { serialization: 'advanced', execArgv: SPARING })
      const failed = (because: string): void => {
        child.removeAllListeners()
        say(`the planner failed (${because}); blocks are placed in proportion to speed`, 'warn')
        resolve(proportionalPlacement(problem))
      }
      child.once('message', (answer: PlanAnswer) => {
        child.removeAllListeners()
        if (answer.kind === 'planned') resolve(answer.outcome)
        else failed(answer.because)
      })
      child.once('error', error => failed(error.message))
      child.once('exit', (code, signal) => failed(`its process ended with ${code ?? signal}`))
      child.send(problem)
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
