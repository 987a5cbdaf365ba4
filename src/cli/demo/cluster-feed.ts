import { type ClusterStatus, clusterStatusSchema, type DeviceReport } from '../../runtime/device/device-status.ts'
import type { NodeEvent } from './device-process.ts'

type DevicePart = ClusterStatus['devices'][number]
type SourcePart = DeviceReport['sources'][number]

/** What the devices of a run last said of themselves: each is believed about itself only, so nothing is hearsay. */
export class ClusterFeed {
  readonly #devices = new Map<string, DevicePart>()
  readonly #sources = new Map<string, SourcePart>()
  /** By link; counts only grow, and outlive the link. */
  readonly #sent = new Map<string, number>()

  /** Takes what `device` printed; events without a status are ignored. */
  take(device: string, event: NodeEvent): void {
    if (event['status'] === undefined) return
    const { devices, sources } = clusterStatusSchema.parse(event['status'])
    for (const part of devices) if (part.name === device) this.#takeDevice(part)
    for (const part of sources) if (part.device === device) this.#sources.set(part.name, part)
  }

  device(name: string): DevicePart | undefined {
    return this.#devices.get(name)
  }

  sources(): SourcePart[] {
    return [...this.#sources.values()]
  }

  /** Bytes over all links, since the devices started. */
  bytesSent(): number {
    return [...this.#sent.values()].reduce((sum, bytes) => sum + bytes, 0)
  }

  #takeDevice(part: DevicePart): void {
    this.#devices.set(part.name, part)
    for (const { to, bytesSent } of part.links) {
      const link = `${part.name}->${to}`
      this.#sent.set(link, Math.max(bytesSent, this.#sent.get(link) ?? 0))
    }
  }
}
