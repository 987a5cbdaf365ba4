import { PLANNING_JOB } from '../../runtime/cluster/planning-job.ts'
import type { ClusterStatus } from '../../runtime/device/device-status.ts'
import { planningWords } from '../../runtime/device/planning-words.ts'

type Planned = Pick<ClusterStatus, 'devices' | 'placement'> & Partial<Pick<ClusterStatus, 'planner'>>

/** In words, and whether it does not pass by itself. */
export interface Unplanned {
  readonly what: string
  readonly because: string
  readonly isGrave: boolean
}

/** Why nobody plans, or what was planned is not there yet; undefined where all is in place. */
export const whyUnplanned = ({ planner, placement, devices }: Planned): Unplanned | undefined => {
  const nothing = (because: string): Unplanned => ({ what: 'nothing is planned', because, isGrave: true })
  const [underWay] = planningWords(devices)
  if (planner === null && underWay !== undefined)
    return { what: 'nothing is planned yet', because: underWay, isGrave: false }
  if (planner === null) return nothing('no device plans: none can, or none was elected yet')
  const failing = devices
    .find(({ name }) => name === planner)
    ?.jobs?.find(({ job, lasts }) => lasts && job === PLANNING_JOB)
  if (failing !== undefined) return nothing(`${planner} fails to plan: ${failing.because}`)
  if (placement.ready !== false || Object.keys(placement.models ?? {}).length === 0) return undefined
  return { what: 'blocks are being loaded', because: 'the placement is not in force everywhere yet', isGrave: false }
}
