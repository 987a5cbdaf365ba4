/**
 * Times of runs in the lane, in milliseconds. `actual` is the smaller of wall time and of the processor time that the
 * process used meanwhile: with one thread the run cannot have taken more of the processor than that, so what other
 * processes took away does not count; with several threads it is the wall time.
 */
export interface TimedRun<T> {
  readonly value: T
  readonly actual: number
}

export const timed = async <T>(run: () => Promise<T>): Promise<TimedRun<T>> => {
  const used = process.cpuUsage()
  const startedAt = performance.now()
  const value = await run()
  const wall = performance.now() - startedAt
  const { user, system } = process.cpuUsage(used)
  return { value, actual: Math.min(wall, (user + system) / 1000) }
}

export interface LeastTimeOptions {
  /** Stop after this many milliseconds of timed runs. @default 400 */
  readonly patience?: number
  /** But not before this many runs. @default 3 */
  readonly atLeast?: number
}

const WARM_UPS = 2
const AT_MOST = 30

/** Warm up, then the least time of several runs. */
export const leastTime = async (
  run: () => Promise<unknown>,
  { patience = 400, atLeast = 3 }: LeastTimeOptions = {}
): Promise<number> => {
  for (let i = 0; i < WARM_UPS; i++) await run()
  const enough = performance.now() + patience
  let least = Number.POSITIVE_INFINITY
  for (let runs = 0; runs < atLeast || (runs < AT_MOST && performance.now() < enough); runs++) {
    least = Math.min(least, (await timed(run)).actual)
  }
  return least
}

/**
 * Milliseconds. A thread that waits for one of two processors that serve all devices waits for 1 to 20 ms, for 50 at times.
 * What takes longer is no turn: the machine cannot keep up.
 */
const LONGEST_TURN = 50

/**
 * When an emulated run counts as begun: as soon as its device was free and its inputs were there. Between two runs this
 * machine takes a turn through the main thread, which it shares with all the other devices that it emulates.
 * Instants on the clock of `performance.now`; without `ready`, now.
 */
export const emulatedStart = (freeSince: number, ready: number | undefined, now = performance.now()): number =>
  Math.min(now, Math.max(freeSince, ready ?? now, now - LONGEST_TURN))

/**
 * When an emulated run that was to end at `deadline` counts as ended: then, when this machine got to it a turn later at
 * most. What is late goes out late; the device is free for its next run in time. On the clock of `performance.now`.
 */
export const emulatedEnd = (deadline: number, now = performance.now()): number =>
  Math.min(now, Math.max(deadline, now - LONGEST_TURN))

const never = new Int32Array(new SharedArrayBuffer(4))
/** A timer of the system may be late by this much; the rest is waited for by turning. */
const TIMER_SLACK = 0.15

/** Block this thread until `deadline` on the clock of `performance.now`, without using the processor. */
export const waitUntil = (deadline: number): void => {
  for (let left = deadline - performance.now(); left > 0; left = deadline - performance.now()) {
    if (left > TIMER_SLACK) Atomics.wait(never, 0, 0, left - TIMER_SLACK)
  }
}
