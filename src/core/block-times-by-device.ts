import { nearest } from './nearest.ts'
import type { Seconds } from './units.ts'
import { UserError } from './user-error.ts'

interface NamedDevice {
  readonly name: string
  /** Of devices that are alike. */
  readonly group: string | undefined
}

/**
 * Measured times of a model's blocks, by device in the order of `devices`; undefined where none are given.
 *
 * A key is a device, a group of devices, or several of these with commas between. A device's own times count before those
 * of its group.
 * @param where of the times in their file, for messages
 * @throws UserError for a name that is none, a device that is timed twice, a list of another length than there are blocks
 */
export const blockTimesByDevice = (
  written: Readonly<Record<string, readonly Seconds[]>>,
  blocks: number,
  devices: readonly NamedDevice[],
  where: string
): readonly (readonly Seconds[] | undefined)[] => {
  const own = new Map<number, { readonly key: string; readonly times: readonly Seconds[] }>()
  const ofGroup = new Map<number, { readonly key: string; readonly times: readonly Seconds[] }>()
  for (const [key, times] of Object.entries(written)) {
    if (times.length !== blocks)
      throw new UserError(`${where}.${key}: ${times.length} times for ${blocks} blocks; give one for each`)
    for (const name of namesIn(key, devices)) {
      const { found, isGroup } = devicesNamed(name, devices, `${where}.${key}`)
      const known = isGroup ? ofGroup : own
      for (const n of found) {
        const before = known.get(n)
        if (before !== undefined)
          throw new UserError(
            `${where}.${key}: ${devices[n]!.name} has times twice, here and under ${before.key}; remove one`
          )
        known.set(n, { key, times })
      }
    }
  }
  return devices.map((_, n) => (own.get(n) ?? ofGroup.get(n))?.times)
}

/** A name that has a comma in it is one name. */
const namesIn = (key: string, devices: readonly NamedDevice[]): readonly string[] =>
  devices.some(({ name, group }) => name === key || group === key) ? [key] : key.split(',').map(name => name.trim())

const devicesNamed = (wanted: string, devices: readonly NamedDevice[], where: string) => {
  const device = devices.findIndex(({ name }) => name === wanted)
  if (device !== -1) return { found: [device], isGroup: false }
  const found = devices.flatMap(({ group }, n) => (group === wanted ? [n] : []))
  if (found.length > 0) return { found, isGroup: true }
  const known = [...new Set(devices.flatMap(({ name, group }) => (group === undefined ? [name] : [name, group])))]
  const near = nearest(wanted, known)
  throw new UserError(
    `${where}: there is no device or group "${wanted}"${near === undefined ? '' : `, did you mean "${near}"?`} (known: ${known.slice(0, 12).join(', ')})`
  )
}
