import type { ClusterStatus } from '../../runtime/device/device-status.ts'

/** A link as one end measured it: bytes a second, seconds. */
export interface LinkEnd {
  readonly rate: number
  readonly latency: number
  /** Where it is little, the rate is not worth much. */
  readonly bytesSent: number
}

/** The way from the device that was asked to another member, and back. */
export interface LinkReport {
  readonly from: string
  readonly to: string
  /** null where that end knows no link. */
  readonly there: LinkEnd | null
  readonly back: LinkEnd | null
}

export const linkReports = ({ answeredBy, devices }: ClusterStatus): readonly LinkReport[] => {
  const own = devices.find(({ name, id }) => name === answeredBy || id === answeredBy)
  if (own === undefined) return []
  return devices
    .filter(device => device !== own)
    .map(other => ({ from: own.name, to: other.name, there: end(own, other), back: end(other, own) }))
}

const end = (from: ClusterStatus['devices'][number], to: ClusterStatus['devices'][number]): LinkEnd | null => {
  const link = from.links.find(({ to: name }) => name === to.name || name === to.id)
  return link === undefined ? null : { rate: link.rate, latency: link.latency, bytesSent: link.bytesSent }
}
