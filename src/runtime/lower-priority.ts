import { writeFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'

/**
 * This process gives way to others of the machine: beside a full processor it gets about a tenth of what one of them gets.
 * On Linux a process with a session of its own is weighed as one group against all of another session together
 * (sched(7), autogroup), where its own niceness counts for nothing: the group's is lowered, too.
 */
export const lowerPriority = (): void => {
  const niceness = constants.priority.PRIORITY_BELOW_NORMAL
  attempt(() => setPriority(niceness))
  if (process.platform === 'linux') attempt(() => writeFileSync('/proc/self/autogroup', String(niceness)))
}

/** A kernel without groups, a sandbox without /proc: it goes on as it is. */
const attempt = (work: () => void): void => {
  try {
    work()
  } catch {}
}
