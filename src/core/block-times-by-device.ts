import { byDevice, type NamedDevice } from './by-device.ts'
import type { Seconds } from './units.ts'
import { UserError } from './user-error.ts'

/**
 * Measured times of a model's blocks, by device in the order of `devices`; undefined where none are given. Keys: `byDevice`.
 * @param where of the times in their file, for messages
 * @throws UserError for a name that is none, a device that is timed twice, a list of another length than there are blocks
 */
export const blockTimesByDevice = (
  written: Readonly<Record<string, readonly Seconds[]>>,
  blocks: number,
  devices: readonly NamedDevice[],
  where: string
): readonly (readonly Seconds[] | undefined)[] => {
  for (const [key, times] of Object.entries(written))
    if (times.length !== blocks)
      throw new UserError(`${where}.${key}: ${times.length} times for ${blocks} blocks; give one for each`)
  return byDevice(written, devices, 'times', where)
}
