import { nearest } from './nearest.ts'
import { UserError } from './user-error.ts'

export interface NamedDevice {
  readonly name: string
  /** Of devices that are alike. */
  readonly group: string | undefined
}

/**
 * What is written for devices, in the order of `devices`; undefined where nothing is.
 *
 * A key is a device, a group of devices, or several of these with commas between. What is written for a device itself counts
 * before what is for its group.
 * @param what is written, in words
 * @param where it stands in its file, for messages
 * @throws UserError for a name that is none, and for a device that it is written for twice
 */
export const byDevice = <T>(
  written: Readonly<Record<string, T>>,
  devices: readonly NamedDevice[],
  what: string,
  where: string
): readonly (T | undefined)[] => {
  const own = new Map<number, { readonly key: string; readonly value: T }>()
  const ofGroup = new Map<number, { readonly key: string; readonly value: T }>()
  for (const [key, value] of Object.entries(written)) {
    for (const name of namesIn(key, devices)) {
      const { found, isGroup } = devicesNamed(name, devices, `${where}.${key}`)
      const known = isGroup ? ofGroup : own
      for (const n of found) {
        const before = known.get(n)
        if (before !== undefined)
          throw new UserError(
            `${where}.${key}: ${devices[n]!.name} has ${what} twice, here and under ${before.key}; remove one`
          )
        known.set(n, { key, value })
      }
    }
  }
  return devices.map((_, n) => (own.get(n) ?? ofGroup.get(n))?.value)
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
