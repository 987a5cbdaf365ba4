/**
 * Times of runs in the lane, in milliseconds. `actual` is the smaller of wall time and of the processor time that the
 * process used meanwhile: with one thread the run cannot have taken more of the processor than that, so what other
 * processes took away does not count; with several threads it is the wall time.
 */
export interface TimedRun<T> {
  readonly value: T
  readonly actual: number
}

/** @param tellsOwn false: wall time will do, and the system is not asked */
export const timed = async <T>(run: () => Promise<T>, tellsOwn = true): Promise<TimedRun<T>> => {
  const used = tellsOwn ? process.cpuUsage() : undefined
  const startedAt = performance.now()
  const value = await run()
  const wall = performance.now() - startedAt
  if (used === undefined) return { value, actual: wall }
  const { user, system } = process.cpuUsage(used)
  return { value, actual: Math.min(wall, (user + system) / 1000) }
}

export interface LeastTimeOptions {
  /** Stop after this many milliseconds of timed runs. @default 400 */
  readonly patience?: number
  /** But not before this many runs. @default 3 */
  readonly atLeast?: number
  /** And after so many in any case. @default 30 */
  readonly atMost?: number
  /** @default 2 */
  readonly warmUps?: number
}

/** Warm up, then the least time of several runs. */
export const leastTime = async (
  run: () => Promise<unknown>,
  { patience = 400, atLeast = 3, atMost = 30, warmUps = 2 }: LeastTimeOptions = {}
): Promise<number> => {
  for (let i = 0; i < warmUps; i++) await run()
  const enough = performance.now() + patience
  let least = Number.POSITIVE_INFINITY
  for (let runs = 0; runs < atLeast || (runs < atMost && performance.now() < enough); runs++) {
    least = Math.min(least, (await timed(run)).actual)
  }
  return least
}
