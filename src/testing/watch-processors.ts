import { readFileSync } from 'node:fs'
import type { TestContext } from 'vitest'

/** Of the time that this thread wanted a processor: how much of it may pass waiting for one where what it measures is to count. */
const MOST = 0.25

/** Nanoseconds on a processor, and waiting for one, of the thread that asks. */
const scheduled = (): readonly [number, number] => {
  try {
    const [ran, waited] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ').map(Number)
    return [ran!, waited!]
  } catch {
    return [0, 0] // not Linux: what is measured counts
  }
}

/** From now on: whether this machine had time for what a test measures. */
export const watchProcessors = (): {
  /** Whether `check` holds, where processors were there when they were needed; else the test is skipped, and says why. */
  readonly inTime: (context: TestContext, check: () => void) => void
} => {
  const [ran, waited] = scheduled()
  return {
    inTime: (context, check) => {
      const [ranNow, waitedNow] = scheduled()
      const [running, waiting] = [ranNow - ran, waitedNow - waited]
      const late = waiting / Math.max(1, running + waiting)
      if (late > MOST)
        context.skip(
          `this machine was busy: of the time asked for ${Math.round(100 * late)} % was spent waiting for it`
        )
      check()
    }
  }
}
