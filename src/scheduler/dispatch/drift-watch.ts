import { type Seconds, seconds } from '../../core/units.ts'
import type { World } from '../../core/world.ts'

/** A cost that has grown here, or shrunk elsewhere, by so much makes decisions of before doubtful. */
const FACTOR = 1.5
/** What was decided anew is left alone for so long. */
const REST: Seconds = seconds(1)

/**
 * Whether what a device believes of its network has changed so much that tasks which wait there might be better off
 * elsewhere: its own blocks or links have become slower, or another device has become faster or carries a block that it
 * did not. Compared with the best of its own, and the worst of others', since it last was so.
 */
export class DriftWatch {
  readonly #world: World
  readonly #self: number
  /** Time of every block of every model, by device; Infinity where it is not carried. */
  #blocks: number[][] | undefined
  /** Seconds per byte of this device's links, by receiver. */
  #links = new Map<number, number>()
  #restUntil: Seconds = seconds(0)
  #seen = -1

  constructor(world: World, self: number) {
    this.#world = world
    this.#self = self
  }

  /** Called often. True once for each such change. */
  isDue(now: Seconds): boolean {
    const { version } = this.#world
    if (version === this.#seen || now < this.#restUntil) return false
    this.#seen = version
    const isFirst = this.#blocks === undefined
    const [blocks, links] = [this.#timesNow(), this.#costsNow()]
    const isDue = !isFirst && (this.#haveBlocksDrifted(blocks) || this.#haveLinksDrifted(links))
    if (isFirst || isDue) {
      this.#blocks = blocks
      this.#links = links
      if (isDue) this.#restUntil = seconds(now + REST)
    } else this.#remember(blocks, links)
    return isDue
  }

  #haveBlocksDrifted(blocks: readonly number[][]): boolean {
    return blocks.some((times, n) =>
      times.some((time, i) => {
        const before = this.#blocks![n]?.[i] ?? (n === this.#self ? time : Number.POSITIVE_INFINITY)
        return n === this.#self ? Number.isFinite(time) && time > FACTOR * before : before > FACTOR * time
      })
    )
  }

  #haveLinksDrifted(links: ReadonlyMap<number, number>): boolean {
    return [...links].some(([to, cost]) => cost > FACTOR * (this.#links.get(to) ?? cost))
  }

  #remember(blocks: readonly number[][], links: ReadonlyMap<number, number>): void {
    const before = this.#blocks!
    this.#blocks = blocks.map((times, n) =>
      times.map((time, i) => (n === this.#self ? Math.min : Math.max)(time, before[n]?.[i] ?? time))
    )
    this.#links = new Map([...links].map(([to, cost]) => [to, Math.min(cost, this.#links.get(to) ?? cost)]))
  }

  #timesNow(): number[][] {
    const { devices, models } = this.#world
    const time = (n: number, m: number, k: number): number =>
      this.#world.carries(n, m, k) ? this.#world.blockTime(n, m, k) : Number.POSITIVE_INFINITY
    return [...devices.keys()].map(n => models.flatMap(({ work }, m) => work.map((_, k) => time(n, m, k))))
  }

  #costsNow(): Map<number, number> {
    return new Map(this.#world.links[this.#self]!.map(({ to, rate }) => [to, 1 / rate]))
  }
}
