import { NumberRanges } from '../../core/number-ranges.ts'
import type { Recorded, RecordedCounts } from '../ports/sink.ts'
import { outcomeOf, type SinkEntry } from '../ports/sink-entry.ts'

const NONE = { result: 0, skipped: 0, failed: 0, dropped: 0 } as const

/** What is known to have become of every datum, by source; counted as it comes. */
export class RecordedData {
  readonly #isLive: (source: string) => boolean
  readonly #sources = new Map<string, Map<number, Recorded>>()
  /** Of sources whose data come as long as they run: which have a line, no more. */
  readonly #live = new Map<string, NumberRanges>()
  readonly #counts = new Map<string, Record<Recorded['kind'], number>>()

  /** @param isLive whether the data of a source are too many to be kept one by one */
  constructor(isLive: (source: string) => boolean = () => false) {
    this.#isLive = isLive
  }

  of(source: string): ReadonlyMap<number, Recorded> {
    return this.#of(source)
  }

  has(source: string, datum: number): boolean {
    return this.#liveOf(source).has(datum) || this.#of(source).has(datum)
  }

  counts(source: string): RecordedCounts {
    const { result, skipped, failed, dropped } = this.#counts.get(source) ?? NONE
    return { results: result, skipped, failed, dropped }
  }

  /** Whether this entry would say nothing new: only one that was skipped may still become something else. */
  knows(entry: SinkEntry): boolean {
    const { source, datum } = entry
    if (this.#isLive(source)) return this.has(source, datum)
    const known = this.#of(source).get(datum)
    return known !== undefined && (known.kind !== 'skipped' || outcomeOf(entry) === 'skipped')
  }

  put(source: string, datum: number, recorded: Recorded): void {
    const counts = this.#counts.get(source) ?? { ...NONE }
    this.#counts.set(source, counts)
    if (this.#isLive(source)) {
      if (this.#liveOf(source).add(datum)) counts[recorded.kind]++
      return
    }
    const before = this.#of(source).get(datum)
    if (before !== undefined) counts[before.kind]--
    counts[recorded.kind]++
    this.#of(source).set(datum, recorded)
  }

  #of(source: string): Map<number, Recorded> {
    const known = this.#sources.get(source) ?? new Map<number, Recorded>()
    this.#sources.set(source, known)
    return known
  }

  #liveOf(source: string): NumberRanges {
    const known = this.#live.get(source) ?? new NumberRanges()
    this.#live.set(source, known)
    return known
  }
}
