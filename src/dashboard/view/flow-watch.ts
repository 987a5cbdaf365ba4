import type { ClusterStatus } from '../../runtime/device/device-status.ts'
import type { Flow } from './what-limits.ts'

interface Sight {
  readonly time: number
  readonly bytes: number
}

/** Seconds over which a flow is seen. */
const SPAN = 5

/** From what was sent so far, over and over, to what is sent now. */
export class FlowWatch {
  readonly #sights = new Map<string, Sight[]>()

  /** @param time in seconds */
  look(devices: ClusterStatus['devices'], time: number): void {
    const seen = new Set<string>()
    for (const { name, links } of devices) {
      for (const { to, bytesSent } of links) {
        const key = JSON.stringify([name, to])
        seen.add(key)
        const before = this.#sights.get(key) ?? []
        const last = before.at(-1)
        // Another process counts from 0 again.
        const kept =
          last !== undefined && bytesSent < last.bytes ? [] : before.filter(sight => time - sight.time <= SPAN)
        this.#sights.set(key, [...kept, { time, bytes: bytesSent }])
      }
    }
    for (const key of this.#sights.keys()) if (!seen.has(key)) this.#sights.delete(key)
  }

  flows(): readonly Flow[] {
    return [...this.#sights].map(([key, sights]) => {
      const [from, to] = JSON.parse(key) as [string, string]
      const [first, last] = [sights[0]!, sights.at(-1)!]
      const span = last.time - first.time
      return { from, to, bytesPerSecond: span > 0 ? (last.bytes - first.bytes) / span : 0 }
    })
  }
}
