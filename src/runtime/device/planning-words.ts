import { formatSeconds } from '../../core/format-quantity.ts'
import type { ClusterStatus } from './device-status.ts'

type Device = ClusterStatus['devices'][number]

/** Of a device that does not say it, nothing is known. */
type Planning = Pick<Device, 'name'> & Partial<Pick<Device, 'planning'>>

/** Who makes a plan now, and since when: it may take a while on a busy machine, and nothing has gone wrong. */
export const planningWords = (devices: readonly Planning[]): readonly string[] =>
  devices.flatMap(({ name, planning }) =>
    typeof planning?.seconds === 'number' ? [`${name} has been planning for ${formatSeconds(planning.seconds)}`] : []
  )
