import type { Clock } from '../core/clock.ts'
import { every } from '../core/every.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { ClusterStatus } from '../runtime/device/device-status.ts'
import type { RecentLine, RecentLines } from './recent-lines.ts'

type DeviceStatus = ClusterStatus['devices'][number]

/** What has changed since the last one; the first that a viewer gets is all of it. */
export interface StatusChange {
  /** Since 1970, in seconds, when it was so. */
  readonly time: number
  /** Ids of the devices that are there, in order. */
  readonly there: readonly string[]
  readonly devices: readonly DeviceStatus[]
  /** All but the devices; absent where nothing of it has changed. */
  readonly rest?: Omit<ClusterStatus, 'devices'>
  readonly lines: readonly RecentLine[]
}

export interface StatusFeedParts {
  readonly status: () => ClusterStatus
  readonly lines: RecentLines
  readonly clock: Clock
  /** Since 1970. */
  readonly wallTime: () => Seconds
}

/** How often it is looked whether something has changed. */
const INTERVAL: Seconds = seconds(0.5)

interface Viewer {
  readonly send: (change: StatusChange) => void
  /** As they were sent last, by id. */
  readonly devices: Map<string, string>
  rest: string
  line: number
}

/** Tells viewers what changes. While nobody looks, nothing is done. */
export class StatusFeed {
  readonly #parts: StatusFeedParts
  readonly #viewers = new Set<Viewer>()
  #over: AbortController | undefined

  constructor(parts: StatusFeedParts) {
    this.#parts = parts
  }

  get viewers(): number {
    return this.#viewers.size
  }

  /** @param send called at once with all, then with what changes @returns what ends it */
  watch(send: (change: StatusChange) => void): () => void {
    const viewer: Viewer = { send, devices: new Map(), rest: '', line: 0 }
    this.#viewers.add(viewer)
    this.#tell([viewer])
    if (this.#over === undefined) this.#begin()
    return () => {
      this.#viewers.delete(viewer)
      if (this.#viewers.size > 0) return
      this.#over?.abort()
      this.#over = undefined
    }
  }

  #begin(): void {
    this.#over = new AbortController()
    const { signal } = this.#over
    every(
      () => INTERVAL,
      async () => this.#tell([...this.#viewers]),
      { clock: this.#parts.clock, signal }
    ).catch(() => {}) // it ends by its signal
  }

  /** One status for all of them. */
  #tell(viewers: readonly Viewer[]): void {
    const { devices, ...rest } = this.#parts.status()
    const texts = new Map(devices.map(device => [device.id, JSON.stringify(steady(device))]))
    const restText = JSON.stringify(rest)
    for (const viewer of viewers) {
      const lines = this.#parts.lines.since(viewer.line)
      const changed = devices.filter(({ id }) => viewer.devices.get(id) !== texts.get(id))
      const isSame = changed.length === 0 && lines.length === 0 && restText === viewer.rest
      const left = viewer.devices.size > texts.size
      for (const id of viewer.devices.keys()) if (!texts.has(id)) viewer.devices.delete(id)
      if (isSame && !left) continue
      for (const [id, text] of texts) viewer.devices.set(id, text)
      viewer.line = lines.at(-1)?.number ?? viewer.line
      viewer.send({
        ...{ time: this.#parts.wallTime(), there: [...texts.keys()], devices: changed, lines },
        ...(restText === viewer.rest ? {} : { rest })
      })
      viewer.rest = restText
    }
  }
}

/** What changes though nothing happens is told with something that does. */
const steady = ({ uptime: _, ticks: __, tickLateness: ___, rss: ____, ...device }: DeviceStatus) => device
