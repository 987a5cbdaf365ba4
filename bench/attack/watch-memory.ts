import { seconds } from '../../src/core/units.ts'
import { systemClock } from '../../src/runtime/system-clock.ts'
import type { HonestCluster } from './honest-cluster.ts'

/** Seconds between two looks: what is taken and given back at once is seen too. */
const PAUSE = 0.25

/** From now on. @returns ends it, and tells by how much the largest honest process has grown at most, megabytes */
export const watchMemory = async ({ memory }: HonestCluster): Promise<() => number> => {
  const before = await memory()
  let peak = before
  let isOver = false
  const watch = async (): Promise<void> => {
    while (!isOver) {
      await systemClock.sleep(seconds(PAUSE))
      peak = Math.max(peak, await memory())
    }
  }
  void watch()
  return () => {
    isOver = true
    return peak - before
  }
}
