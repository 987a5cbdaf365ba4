import type { Scenario, ScenarioSource } from '../../core/scenario.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { ClusterStatus } from '../../runtime/device/device-status.ts'

/** Nothing moves, and nothing is known to wait: whatever is missing will not come. */
const QUIET: Seconds = seconds(60)
/** The same where data wait for a block that nobody carries or a way that does not exist. */
const STUCK: Seconds = seconds(10)
/** The same where something is on its way over a link: it may be very slow. */
const UNDER_WAY: Seconds = seconds(600)
/** Mean gaps that a Poisson process may be silent for; it is for longer once in 5e8. */
const POISSON_GAPS = 20
/** So late may an event happen: those before it take their time. */
const LATE: Seconds = seconds(5)

interface DeviceNews {
  readonly part: ClusterStatus['devices'][number]
  readonly sources: ClusterStatus['sources']
  /** All that is placed is loaded, as this device sees it. */
  readonly isPlaced: boolean
}

/**
 * When an emulated run that is not done will never be. News is a result that came home, a datum that was dropped, time that a
 * lane spent, a block that was fetched, and every event of the scenario. How long to go without news depends on what it may wait for: data
 * that are not born yet, something on its way over a slow link, or a block that nobody carries.
 */
export class RunPatience {
  readonly #scenario: Scenario
  readonly #heard = new Map<string, DeviceNews>()
  #startedAt: Seconds = seconds(0)
  #newsAt: Seconds = seconds(0)
  #moved = 0
  readonly #done = new Set<number>()
  #lastResultAt: Seconds = seconds(0)

  constructor(scenario: Scenario) {
    this.#scenario = scenario
  }

  begin(now: Seconds): void {
    this.#startedAt = now
    this.#newsAt = now
    this.#lastResultAt = now
  }

  /**
   * When a result last came home, on the run's clock; the start of the run while none has. Exact for a device that has
   * all its results; of others it is when they told.
   */
  get lastResultAt(): Seconds {
    return this.#lastResultAt
  }

  /** Device `n` has all results of its sources. Of one that starts anew after that, it is old news. */
  done(n: number, now: Seconds): void {
    if (this.#done.has(n)) return
    this.#done.add(n)
    this.#lastResultAt = now
  }

  /** What device `name` said of itself. */
  heard(name: string, { devices, sources, placement }: ClusterStatus, now: Seconds): void {
    const part = devices.find(device => device.name === name)
    if (part === undefined) return
    const own = sources.filter(source => source.device === name)
    const before = completedOf(this.#heard.get(name))
    this.#heard.set(name, { part, sources: own, isPlaced: placement.ready })
    const all = [...this.#heard.values()]
    const isDone = this.#done.has(this.#scenario.devices.findIndex(device => device.name === name))
    if (!isDone && completedOf(this.#heard.get(name)) > before) this.#lastResultAt = now
    // Counts of a process that starts anew go back to nothing: that is news too.
    const moved = sum(all.map(d => completedOf(d) + droppedOf(d) + d.part.busySeconds + d.part.weightsFetched))
    if (moved !== this.#moved) this.#newsAt = now
    this.#moved = moved
  }

  /**
   * Whether nothing more is to come.
   * @param isThere whether a device runs, or is about to
   */
  isOver(now: Seconds, isThere: (device: number) => boolean): boolean {
    const { sources, events } = this.#scenario
    const comesBack = (n: number): boolean =>
      events.some(event => event.kind === 'joins' && event.device === n && this.#startedAt + event.at + LATE >= now)
    const awaited = sources.filter(({ device }) => !this.#done.has(device) && (isThere(device) || comesBack(device)))
    if (awaited.length === 0) return true
    const starts = awaited.map(({ start }) => start)
    const scheduled = this.#startedAt + Math.max(events.at(-1)?.at ?? 0, ...starts)
    return now - Math.max(this.#newsAt, scheduled) > this.#limit(isThere) + this.#longestGap(awaited)
  }

  #limit(isThere: (device: number) => boolean): Seconds {
    const there = this.#scenario.devices.flatMap(({ name }, n) => (isThere(n) ? (this.#heard.get(name) ?? []) : []))
    if (there.some(({ part, isPlaced }) => !isPlaced || part.queue.lane + part.queue.links > 0)) return UNDER_WAY
    return there.some(({ part }) => part.queue.waiting > 0) ? STUCK : QUIET
  }

  /** Until the next datum of one of these sources is born, at most, where it still has any and room for it. */
  #longestGap(sources: readonly ScenarioSource[]): number {
    const said = new Map([...this.#heard.values()].flatMap(device => device.sources.map(s => [s.name, s] as const)))
    return Math.max(
      ...sources.map(({ name, arrivals, count, window }) => {
        const { admitted = 0, inFlight = 0 } = said.get(name) ?? {}
        if (arrivals.kind === 'saturated' || admitted >= count || (window !== 'auto' && inFlight >= window)) return 0
        return arrivals.kind === 'every' ? arrivals.interval : POISSON_GAPS / arrivals.rate
      })
    )
  }
}

const completedOf = (news: DeviceNews | undefined): number =>
  sum((news?.sources ?? []).map(({ completed }) => completed))

const droppedOf = ({ sources }: DeviceNews): number => sum(sources.map(({ dropped }) => dropped))

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
