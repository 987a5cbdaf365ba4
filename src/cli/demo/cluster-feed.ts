import { type ClusterStatus, clusterStatusSchema, type DeviceReport } from '../../runtime/device/device-status.ts'
import type { NodeEvent } from './device-process.ts'

type DevicePart = ClusterStatus['devices'][number]
type SourcePart = DeviceReport['sources'][number]

/** What the devices of a run last said of themselves: each is believed about itself only, so nothing is hearsay. */
export class ClusterFeed {
  readonly #devices = new Map<string, DevicePart>()
  readonly #sources = new Map<string, SourcePart>()

  /** Takes what `device` printed; other events than its status are ignored. */
  take(device: string, event: NodeEvent): void {
    if (event.event !== 'status') return
    const { devices, sources } = clusterStatusSchema.parse(event['status'])
    for (const part of devices) if (part.name === device) this.#devices.set(device, part)
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
    return [...this.#devices.values()].reduce((sum, device) => sum + device.bytesSent, 0)
  }
}
