import type { Clock } from '../../core/clock.ts'
import type { KillOrder } from './kill-order.ts'
import type { RunView } from './run-view.ts'
import type { Cluster } from './start-cluster.ts'

export interface KillLaterParts {
  readonly kill: KillOrder | undefined
  readonly clock: Clock
  readonly view: RunView
}

/** Kill a device in the midst of a run, unless the run is over before. */
export const killLater = async (
  cluster: Cluster,
  { kill, clock, view }: KillLaterParts,
  signal: AbortSignal
): Promise<void> => {
  if (kill === undefined) return
  try {
    await clock.sleep(kill.after, { signal })
  } catch {
    if (!signal.aborted) throw new Error('the clock failed')
    view.say(`  ${kill.device} was to be killed after ${kill.after} s, but the run was over before`)
    return
  }
  cluster.devices.get(kill.device)!.kill()
  view.say(`  killed ${kill.device} (kill -9) after ${kill.after} s`)
}
