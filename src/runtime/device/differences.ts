import type { DeviceReport } from './device-status.ts'

type Told = Pick<DeviceReport, 'name' | 'policy' | 'activationEncoding'> &
  Partial<Pick<DeviceReport, 'memory' | 'sources'>>

/** With room for no block and no source it decides about no datum: it came to look. */
const decides = ({ memory, sources }: Told): boolean => memory !== 0 || (sources?.length ?? 0) > 0

/**
 * What devices of one cluster were told differently, and should not have been, a line each: they then decide by different
 * rules about the same data, and what a policy promises does not hold.
 */
export const differences = (all: readonly Told[]): string[] => {
  const devices = all.filter(decides)
  return [
    ...difference('policies', 'policy', devices, ({ policy }) => policy),
    ...difference(
      'activation encodings',
      'activation encoding',
      devices,
      ({ activationEncoding }) => activationEncoding
    )
  ]
}

const difference = (what: string, option: string, devices: readonly Told[], of: (device: Told) => string): string[] => {
  const groups = new Map<string, string[]>()
  for (const device of devices) {
    const value = of(device)
    // A device of an older version does not say.
    if (value !== '') groups.set(value, [...(groups.get(value) ?? []), device.name])
  }
  if (groups.size < 2) return []
  const each = [...groups].sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1))
  const words = each.map(([value, names]) => `${value} on ${named(names)}`)
  return [`${what} differ: ${words.join('; ')}: start all devices with the same ${option}`]
}

const named = (names: readonly string[]): string =>
  names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
