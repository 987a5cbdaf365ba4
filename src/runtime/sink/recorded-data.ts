import { NumberRanges } from '../../core/number-ranges.ts'
import type { Recorded, RecordedCounts } from '../ports/sink.ts'
import { isNoItem, outcomeOf, type SinkEntry } from '../ports/sink-entry.ts'

const NONE = { result: 0, noItem: 0, failed: 0, dropped: 0 } as const

/** As it is remembered. */
export const recordedKindOf = (entry: SinkEntry): Recorded['kind'] => (isNoItem(entry) ? 'noItem' : outcomeOf(entry))

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
    const { result, noItem, failed, dropped } = this.#counts.get(source) ?? NONE
    return { results: result, failed: failed + noItem, noItems: noItem, dropped }
  }

  /** Whether this entry would say nothing new: only what was no item may still become something else. */
  knows(entry: SinkEntry): boolean {
    const { source, datum } = entry
    if (this.#isLive(source)) return this.has(source, datum)
    const known = this.#of(source).get(datum)
    return known !== undefined && (known.kind !== 'noItem' || isNoItem(entry))
  }

  put(source: string, datum: number, recorded: Recorded): void {
    const counts = this.#counts.get(source) ?? { ...NONE }
    this.#counts.set(source, counts)
    if (this.#isLive(source)) {
      if (this.#liveOf(source).add(datum)) counts[recorded.kind === 'noItem' ? 'failed' : recorded.kind]++ // it never changes
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
