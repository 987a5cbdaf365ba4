import type { EventClock } from './event-clock.ts'

/** Lets what is planned on a clock happen while a test waits for promises. @returns ends that */
export const runEvents = (clock: EventClock): (() => Promise<void>) => {
  let isOver = false
  const running = (async () => {
    while (!isOver) {
      await clock.run(() => isOver)
      await new Promise(resolve => setImmediate(resolve)) // nothing is planned before the test does something
    }
  })()
  return () => {
    isOver = true
    return running
  }
}
