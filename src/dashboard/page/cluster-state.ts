import type { RecentLine } from '../recent-lines.ts'
import type { StatusChange } from '../status-feed.ts'
import { FlowWatch } from '../view/flow-watch.ts'
import type { Flow } from '../view/what-limits.ts'

type Rest = NonNullable<StatusChange['rest']>
export type DeviceFacts = StatusChange['devices'][number]
export type SourceFacts = Rest['sources'][number]

/** What the page shows, as far as it has been told. */
export interface ClusterState extends Rest {
  readonly devices: DeviceFacts[]
  readonly flows: readonly Flow[]
  readonly lines: readonly RecentLine[]
  readonly time: number
  /** Results per second of each source, lately: the latest last. */
  readonly rates: ReadonlyMap<string, readonly number[]>
}

const MOST_LINES = 200
/** Points of a source's curve. */
const POINTS = 120

/** Puts changes together. */
export class StateKeeper {
  readonly #devices = new Map<string, DeviceFacts>()
  readonly #flows = new FlowWatch()
  readonly #rates = new Map<string, number[]>()
  #rest: Rest | undefined
  #lines: readonly RecentLine[] = []

  /** @returns undefined until all was told once */
  take(change: StatusChange): ClusterState | undefined {
    for (const device of change.devices) this.#devices.set(device.id, device)
    const there = new Set(change.there)
    for (const id of this.#devices.keys()) if (!there.has(id)) this.#devices.delete(id)
    this.#rest = change.rest ?? this.#rest
    this.#lines = [...this.#lines, ...change.lines].slice(-MOST_LINES)
    if (this.#rest === undefined) return undefined
    const devices = change.there.flatMap(id => this.#devices.get(id) ?? [])
    this.#flows.look(devices, change.time)
    for (const source of this.#rest.sources) this.#noteRate(source)
    return {
      ...this.#rest,
      ...{ devices, flows: this.#flows.flows(), lines: this.#lines, time: change.time, rates: new Map(this.#rates) }
    }
  }

  #noteRate({ name, device, rate }: SourceFacts): void {
    const key = `${name}@${device}`
    this.#rates.set(key, [...(this.#rates.get(key) ?? []), rate].slice(-POINTS))
  }
}
