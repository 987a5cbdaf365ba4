import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { Place, PlacementOutcome } from '../../planner/placement.ts'
import { proportionalPlacement } from '../../planner/proportional-placement.ts'

/**
 * The planner in a thread of its own, for one plan at a time: it may compute for seconds while this device goes on. The
 * thread ends with its answer, since plans are rare and the solver is large. Where it fails, blocks are placed simply.
 */
export const placeInThread =
  (say: (text: string) => void): Place =>
  problem =>
    new Promise<PlacementOutcome>(resolve => {
      const worker = new Worker(script(), { name: 'tributary-planner' })
      const failed = (error: Error): void => {
        say(`the planner failed (${error.message}); blocks are placed in proportion to speed`)
        resolve(proportionalPlacement(problem))
      }
      worker.once('error', failed)
      worker.once('message', (outcome: PlacementOutcome) => {
        resolve(outcome)
        void worker.terminate()
      })
      worker.unref()
      worker.postMessage(problem)
    })

/** Node runs the built file; tests run the sources and take it from the build. */
const script = (): URL => {
  const compiled = new URL('./plan-worker.js', import.meta.url)
  return existsSync(compiled) ? compiled : new URL('../../../dist/src/runtime/planning/plan-worker.js', import.meta.url)
}
