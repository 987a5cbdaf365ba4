import type { Clock } from '../core/clock.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { Item } from '../runtime/ports/data-port.ts'
import type { SinkEntry } from '../runtime/ports/sink-entry.ts'

/** What became of a datum, and what it was made of. */
export interface RecentResult {
  /** Larger for every later one of whichever source. */
  readonly number: number
  readonly entry: SinkEntry
  /** Absent where its content is not kept any more. */
  item?: Item
}

/** Of each source. */
const KEPT = 12
const MOST_SOURCES = 256
/** Who looks asks again before this has passed. */
const LOOKS_FOR: Seconds = seconds(10)

/**
 * The last data of each source of this device, for whoever looks. Nothing is copied. While nobody looks, the content of one
 * datum of a source outlives it, where it is in memory; while somebody does, that of a few.
 */
export class RecentResults {
  readonly #clock: Clock
  readonly #bySource = new Map<string, RecentResult[]>()
  #made = 0
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  note(item: Item, entry: SinkEntry): void {
    const kept = this.#bySource.get(entry.source) ?? this.#begin(entry.source)
    const last = kept.at(-1)
    if (last?.item !== undefined && 'content' in last.item && !this.#isLookedAt) delete last.item
    kept.push({ number: ++this.#made, entry, item })
    if (kept.length > KEPT) kept.shift()
  }

  /** Of all sources, those after a number, in their order. It counts as looking. */
  after(number: number): readonly RecentResult[] {
    this.#lookedAt = this.#clock.now()
    return [...this.#bySource.values()].flat().filter(result => result.number > number)
  }

  /** What a datum was made of; undefined where that is not known any more. */
  itemOf(source: string, datum: number): Item | undefined {
    return this.#bySource.get(source)?.findLast(({ entry }) => entry.datum === datum)?.item
  }

  get #isLookedAt(): boolean {
    return this.#clock.now() - this.#lookedAt < LOOKS_FOR
  }

  #begin(source: string): RecentResult[] {
    const [oldest] = this.#bySource.keys()
    if (this.#bySource.size >= MOST_SOURCES) this.#bySource.delete(oldest!)
    const kept: RecentResult[] = []
    this.#bySource.set(source, kept)
    return kept
  }
}
