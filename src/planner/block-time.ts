import type { Seconds } from '../core/units.ts'
import { seconds } from '../core/units.ts'
import type { CapacityProblem } from './capacity-problem.ts'

/**
 * What a datum takes of a device for a block where the device has all that it can do: as it was measured there, otherwise the
 * block's work divided by the device's speed; of data that are run at once there, its share, and of several lanes that of one.
 */
export const blockTime = (
  {
    devices,
    models
  }: Pick<CapacityProblem, 'models'> & {
    readonly devices: readonly { readonly speed: number; readonly lanes?: number | undefined }[]
  },
  device: number,
  model: number,
  block: number
): Seconds => {
  const { work, times, batch } = models[model]!
  const { speed, lanes = 1 } = devices[device]!
  const alone = times?.[device]?.[block] ?? work[block]! / speed
  const curve = batch?.[device]?.[block]
  return seconds((alone * (curve?.share(curve.best) ?? 1)) / lanes)
}
