import { type TimeSummary, timeSummary } from '../../core/time-summary.ts'
import type { Seconds } from '../../core/units.ts'

/** Enough for a percentile; a source may run for weeks. */
const REMEMBERED = 10_000
/** To sort fewer takes no time. */
const MANY = 1000

/** Inference times of a source: the mean over all, percentiles over the latest. */
export class RecentTimes {
  readonly #latest: Seconds[] = []
  #count = 0
  #sum = 0
  #summary: TimeSummary | undefined
  #summedUp = 0

  get count(): number {
    return this.#count
  }

  /** 0 while nothing was measured. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count
  }

  add(time: Seconds): void {
    this.#latest[this.#count % REMEMBERED] = time
    this.#count++
    this.#sum += time
  }

  /** Of many, percentiles are found anew when a hundredth of them is new: it is asked for ten times a second. */
  summary(): { readonly [K in keyof TimeSummary]: number | null } {
    if (this.#count === 0) return { mean: null, p50: null, p95: null, p99: null }
    const fresh = this.#count - this.#summedUp
    if (this.#summary === undefined || fresh * 100 > this.#latest.length || this.#latest.length < MANY) {
      this.#summary = timeSummary(this.#latest)
      this.#summedUp = this.#count
    }
    return { ...this.#summary, mean: this.mean }
  }
}
