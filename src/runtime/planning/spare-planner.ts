import type { ChildProcess } from 'node:child_process'
import { type Seconds, seconds } from '../../core/units.ts'
import { systemClock } from '../system-clock.ts'
import { forkPlanner } from './fork-planner.ts'

/** Whom nobody asks for so long is asked nothing any more: it has the solver in memory. */
const PATIENCE: Seconds = seconds(10)

/**
 * A planner's process that starts while it is still waited for what is to be planned: to start and to compile the solver takes
 * most of the time of a small plan.
 */
export class SparePlanner implements Disposable {
  #waiting: { readonly child: ChildProcess; readonly over: AbortController } | undefined

  /** There will be a question in a moment. */
  expect(): void {
    if (this.#waiting !== undefined) return
    const [child, over] = [forkPlanner(), new AbortController()]
    this.#waiting = { child, over }
    const gone = (): void => {
      if (this.#waiting?.child === child) this[Symbol.dispose]()
    }
    child.once('error', gone)
    child.once('exit', gone)
    systemClock.sleep(PATIENCE, { signal: over.signal }).then(gone, () => {}) // it was taken
  }

  /** @returns one that was asked nothing so far */
  take(): ChildProcess {
    const { child, over } = this.#waiting ?? {}
    this.#waiting = undefined
    over?.abort()
    child?.removeAllListeners()
    return child ?? forkPlanner()
  }

  /** What waits ends. */
  [Symbol.dispose](): void {
    const { child, over } = this.#waiting ?? {}
    this.#waiting = undefined
    over?.abort()
    child?.on('error', () => {}) // it is to end
    if (child?.connected === true) child.disconnect()
  }
}
