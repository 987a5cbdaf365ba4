import type { Seconds } from '../core/units.ts'
import { seconds } from '../core/units.ts'
import type { CapacityProblem } from './capacity-problem.ts'

/** What a block takes on a device: as it was measured there, otherwise its work divided by the device's speed. */
export const blockTime = (
  { devices, models }: Pick<CapacityProblem, 'models'> & { readonly devices: readonly { readonly speed: number }[] },
  device: number,
  model: number,
  block: number
): Seconds => {
  const { work, times } = models[model]!
  return times?.[device]?.[block] ?? seconds(work[block]! / devices[device]!.speed)
}
