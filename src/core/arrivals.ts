import { nearest } from './nearest.ts'
import { parseFrequency, parseTime } from './parse-quantity.ts'
import type { Rng } from './rng.ts'
import type { Arrivals } from './scenario.ts'
import { type Seconds, seconds } from './units.ts'

/**
 * When the data of a source become available, for the simulator and for a running source alike.
 * @param rng the source's own stream; the same stream gives the same times. Used for `poisson` only
 * @returns for datum 0, 1, 2 … (asked in any order) the time since the source's start, ascending; undefined for a
 *   saturated source: a datum is available as soon as the window has room for it
 */
export const createArrivals = (arrivals: Arrivals, rng: Rng): ((datum: number) => Seconds) | undefined => {
  switch (arrivals.kind) {
    case 'saturated':
      return undefined
    case 'every':
      return datum => seconds(datum * arrivals.interval)
    case 'poisson':
      return poisson(arrivals.rate, rng)
    default:
      return arrivals satisfies never
  }
}

/** Gaps are exponential with mean 1 / rate; the first datum has a gap before it too. */
const poisson = (rate: number, rng: Rng): ((datum: number) => Seconds) => {
  const times: Seconds[] = []
  return datum => {
    while (times.length <= datum) {
      const gap = -Math.log1p(-rng.next()) / rate
      times.push(seconds((times.at(-1) ?? 0) + gap))
    }
    return times[datum]!
  }
}

const FORMS = 'saturated, poisson:RATE (poisson:5/s) or every:TIME (every:200ms)'

/** "saturated", "poisson:5/s", "every:200ms". @throws RangeError that names the forms and units */
export const parseArrivals = (text: string): Arrivals => {
  if (text === 'saturated') return { kind: 'saturated' }
  const [kind, value = ''] = text.split(/:(.*)/s, 2)
  if (kind === 'poisson') return { kind, rate: above0(parseFrequency(value), text) }
  if (kind === 'every') return { kind, interval: seconds(above0(parseTime(value), text)) }
  const near = nearest(kind ?? '', ['saturated', 'poisson', 'every'])
  throw new RangeError(`"${text}" is not ${FORMS}${near === undefined ? '' : `; did you mean ${near}?`}`)
}

const above0 = (n: number, text: string): number => {
  if (n > 0 && Number.isFinite(n)) return n
  throw new RangeError(`"${text}" must be more than 0 and finite`)
}
