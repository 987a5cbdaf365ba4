import { type Seconds, seconds } from '../core/units.ts'
import type { Pace } from './policy.ts'

/** Admissions that a source's pace is measured over; fewer than the least say nothing. */
const RECENT = 32
const LEAST = 8
/** A source is taken to be ahead by the time of so many data at the common pace at most. */
const FURTHEST = 64
/** Paces that were told so long ago belong to somebody who is gone. */
const STALE: Seconds = seconds(2)
/** Another's pace counts as so many times the fastest one here at most: one that is made up is not to be that of all. */
const FASTEST = 4

interface OwnSource {
  readonly weight: number
  /** When the latest data were admitted, oldest first. */
  readonly admissions: number[]
  lag: number
}

/**
 * How far the sources of one device are ahead of their fair share, in seconds: their lag, which is 0 or negative. Only sources
 * that the network is too slow for count: those whose window is full. Oldest first alone serves a source faster the shorter its paths
 * are; where a task counts as younger by as much as its source is ahead, the rates of such sources come to be as their weights.
 * None counts as older than it is: it would go before the data of sources that the network is fast enough for. Priority alone: no
 * device or link idles for it.
 *
 * The lag is the time that passed less what the source was given of it, which is for each datum as long as one takes at the mean
 * pace of all such sources, a pace being data per second over weight; the paces of other devices come with their reports.
 * (Own admissions are counted and not estimated: the lags of all would drift apart from nothing, and a drift that all have alike is
 * worth more to the heavier.)
 */
export class FairShare {
  readonly #own = new Map<string, OwnSource>()
  readonly #others = new Map<number, { readonly paces: readonly Pace[]; readonly at: Seconds }>()

  /** A datum of a source of this device is admitted. @returns how far the source is ahead, as a negative number */
  admitted(source: string, weight: number, isBacklogged: boolean, now: Seconds): Seconds {
    const own = this.#own.get(source) ?? { weight, admissions: [], lag: 0 }
    this.#own.set(source, own)
    if (!isBacklogged) {
      own.admissions.length = 0
      own.lag = 0
      return seconds(0)
    }
    const since = own.admissions.at(-1) ?? now
    own.admissions.push(now)
    if (own.admissions.length > RECENT) own.admissions.shift()
    if (paceOf(own, now) === undefined) return seconds(own.lag)
    const common = this.#commonPace(now)
    const furthest = FURTHEST / common
    own.lag = Math.max(-furthest, Math.min(0, own.lag + (now - since) - 1 / (weight * common)))
    return seconds(own.lag)
  }

  /** For the other devices. */
  paces(now: Seconds): Pace[] {
    return [...this.#own].flatMap(([source, own]) => {
      const pace = paceOf(own, now)
      return pace === undefined ? [] : [{ source, pace }]
    })
  }

  heard(from: number, paces: readonly Pace[], now: Seconds): void {
    if (paces.length === 0) this.#others.delete(from)
    else this.#others.set(from, { paces, at: now })
  }

  #commonPace(now: Seconds): number {
    const all = this.paces(now).map(({ pace }) => pace)
    for (const { paces, at } of this.#others.values()) if (now - at < STALE) all.push(...paces.map(({ pace }) => pace))
    const most = FASTEST * Math.max(...this.paces(now).map(({ pace }) => pace))
    return all.reduce((sum, pace) => sum + Math.min(pace, most), 0) / all.length
  }
}

/** @returns undefined for a source that has admitted too little, or nothing for so long that it must have stopped */
const paceOf = ({ weight, admissions }: OwnSource, now: Seconds): number | undefined => {
  if (admissions.length < LEAST) return undefined
  const last = admissions.at(-1)!
  const span = last - admissions[0]!
  if (span <= 0 || now - last > span) return undefined
  return (admissions.length - 1) / span / weight
}
