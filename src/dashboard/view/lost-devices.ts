import type { RecentLine } from '../recent-lines.ts'

export interface LostDevice {
  readonly name: string
  /** Since 1970, in seconds. */
  readonly since: number
}

/** Devices that went without a goodbye and are not back, as far as the log tells. @param lines the latest last */
export const lostDevices = (
  lines: readonly RecentLine[],
  there: readonly { readonly name: string }[]
): readonly LostDevice[] => {
  const lost = new Map<string, number>()
  for (const { kind, level, device, time } of lines) {
    if (device === undefined || (kind !== 'left' && kind !== 'joined')) continue
    if (kind === 'left' && level === 'warn') lost.set(device, time)
    else lost.delete(device)
  }
  for (const { name } of there) lost.delete(name)
  return [...lost].map(([name, since]) => ({ name, since }))
}
