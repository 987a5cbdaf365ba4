import { blocksOf } from '../core/progress.ts'
import type { CreatePolicy } from './policy.ts'
import { reportInterval } from './report-interval.ts'
import { Reporting } from './reporting.ts'

/**
 * `local`: each source computes its own data. The baseline; it needs the whole model on every source. Data of all its
 * sources are served by a device in the order in which they come, each to its end.
 */
export const createLocal: CreatePolicy = host => {
  const reporting = new Reporting(host)
  return {
    name: 'local',
    wholeModels: 'at sources',
    reportInterval: () => reportInterval(host.world),
    admit: task => {
      if (!host.world.carriesAll(host.self, task.model)) {
        const { work, id } = host.world.models[task.model]!
        const carried = work.filter((_, k) => host.world.carries(host.self, task.model, k)).length
        const device = host.world.devices[host.self]!.id
        return {
          kind: 'cannot',
          because: `local needs all ${work.length} blocks of ${id} on ${device}, which carries ${carried}`
        }
      }
      return { kind: 'go', steps: [{ device: host.self, until: blocksOf(host.world, task.model) }] }
    },
    next: task => ({ kind: 'go', steps: [{ device: host.self, until: blocksOf(host.world, task.model) }] }),
    rank: task => task.arrivedAt,
    sent: () => {},
    arrived: (_, from) => reporting.arrived(from),
    report: () => reporting.report(),
    remark: () => reporting.report(),
    heard: () => {}
  }
}
