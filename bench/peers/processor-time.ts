import { readFileSync } from 'node:fs'

/** Of Linux, on every machine that Node runs on. */
const TICKS_A_SECOND = 100

/**
 * Seconds that these processes have used of the processors so far, with those of their children that have ended; NaN where the
 * system has no /proc.
 */
export const processorTime = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + timeOf(pid), 0)

const timeOf = (pid: number): number => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // utime, stime, cutime, cstime
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_A_SECOND
  } catch {
    return Number.NaN
  }
}
