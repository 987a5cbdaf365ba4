import type { ClusterStatus } from '../../runtime/device/device-status.ts'

/** A link as one end measured it: bytes a second, seconds. null where it has measured nothing. */
export type LinkEnd = { readonly rate: number; readonly latency: number } | null

/** The way from the device that was asked to another member, and back. */
export interface LinkReport {
  readonly from: string
  readonly to: string
  readonly there: LinkEnd
  readonly back: LinkEnd
}

export const linkReports = ({ answeredBy, devices }: ClusterStatus): readonly LinkReport[] => {
  const own = devices.find(({ name, id }) => name === answeredBy || id === answeredBy)
  if (own === undefined) return []
  return devices
    .filter(device => device !== own)
    .map(other => ({ from: own.name, to: other.name, there: end(own, other), back: end(other, own) }))
}

const end = (from: ClusterStatus['devices'][number], to: ClusterStatus['devices'][number]): LinkEnd => {
  const link = from.links.find(({ to: name }) => name === to.name || name === to.id)
  return link === undefined ? null : { rate: link.rate, latency: link.latency }
}
