import type { Recorded, RecordedCounts } from '../ports/sink.ts'
import { outcomeOf, type SinkEntry } from '../ports/sink-entry.ts'

const NONE = { result: 0, skipped: 0, failed: 0, dropped: 0 } as const

/** What is known to have become of every datum, by source; counted as it comes. */
export class RecordedData {
  readonly #sources = new Map<string, Map<number, Recorded>>()
  readonly #counts = new Map<string, Record<Recorded['kind'], number>>()

  of(source: string): ReadonlyMap<number, Recorded> {
    return this.#of(source)
  }

  counts(source: string): RecordedCounts {
    const { result, skipped, failed, dropped } = this.#counts.get(source) ?? NONE
    return { results: result, skipped, failed, dropped }
  }

  /** Whether this entry would say nothing new: only one that was skipped may still become something else. */
  knows(entry: SinkEntry): boolean {
    const known = this.#of(entry.source).get(entry.datum)
    return known !== undefined && (known.kind !== 'skipped' || outcomeOf(entry) === 'skipped')
  }

  put(source: string, datum: number, recorded: Recorded): void {
    const counts = this.#counts.get(source) ?? { ...NONE }
    const before = this.#of(source).get(datum)
    if (before !== undefined) counts[before.kind]--
    counts[recorded.kind]++
    this.#counts.set(source, counts)
    this.#of(source).set(datum, recorded)
  }

  #of(source: string): Map<number, Recorded> {
    const known = this.#sources.get(source) ?? new Map<number, Recorded>()
    this.#sources.set(source, known)
    return known
  }
}
