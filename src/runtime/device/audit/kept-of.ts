import type { DeviceTask } from '../../dispatch/device-task.ts'
import type { KeptOf } from '../../dispatch/kept-activations.ts'

/** What names the dispatch that a task is. */
export const keptOf = ({ homeId: home, source, datum, attempt, token }: DeviceTask): KeptOf => ({
  home,
  source,
  datum,
  attempt,
  token
})
