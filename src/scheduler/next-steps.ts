import { isFinished } from '../core/progress.ts'
import type { Seconds } from '../core/units.ts'
import type { Decision, Policy, PolicyHost, TaskState } from './policy.ts'
import { wayHome } from './way-home.ts'

/**
 * What a device does with a task that has no steps left: a finished one goes home by the fastest unloaded way, whatever
 * the policy; for any other the policy is asked. Both drivers, the simulator and the running device, go through here.
 */
export const nextSteps = (
  policy: Policy,
  host: Pick<PolicyHost, 'world' | 'self'>,
  task: TaskState,
  now: Seconds
): Decision => {
  if (!isFinished(host.world, task)) return policy.next(task, now)
  const steps = wayHome(host.world, host.self, task)
  return steps === undefined ? { kind: 'wait', block: task.done } : { kind: 'go', steps }
}
