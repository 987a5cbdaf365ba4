import { readFileSync } from 'node:fs'
import type { TestContext } from 'vitest'

/** Where this thread waited for a processor for more than each of these, what it measured does not count. */
const MOST = { ofWanted: 0.25, ofAll: 0.05, milliseconds: 50 }

interface Reading {
  /** Milliseconds. */
  readonly at: number
  readonly ran: number
  readonly waited: number
}

/** Of the thread that asks. */
const read = (): Reading => {
  try {
    const [ran, waited] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ').map(Number)
    return { at: performance.now(), ran: ran! / 1e6, waited: waited! / 1e6 }
  } catch {
    return { at: performance.now(), ran: 0, waited: 0 } // not Linux: what is measured counts
  }
}

/** To be begun with what is measured: whether this machine had time for it. */
export const watchProcessors = (): {
  /** What was measured is over. @returns milliseconds since it began */
  readonly stop: () => number
  /** Whether `check` holds, where processors were there when they were needed until then; else the test is skipped, and says why. */
  readonly inTime: (context: TestContext, check: () => void) => void
} => {
  const begun = read()
  let ended: Reading | undefined
  const stop = (): number => {
    ended ??= read()
    return ended.at - begun.at
  }
  const inTime = (context: TestContext, check: () => void): void => {
    const all = stop()
    const waited = ended!.waited - begun.waited
    const wanted = waited + ended!.ran - begun.ran
    if (waited > Math.max(MOST.ofWanted * wanted, MOST.ofAll * all, MOST.milliseconds))
      context.skip(`this machine was busy: of ${all.toFixed(0)} ms, ${waited.toFixed(0)} were spent waiting for it`)
    check()
  }
  return { stop, inTime }
}
