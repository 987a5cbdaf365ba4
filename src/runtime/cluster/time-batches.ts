import { type BatchCurve, type BatchPoint, batchCurve } from '../../core/batch-curve.ts'
import type { Seconds } from '../../core/units.ts'

export interface BatchTiming {
  /** What so many data of the block take at once, measured now; undefined where it does not run on what is made up. */
  readonly timed: (size: number) => Promise<Seconds | undefined>
  /** What one took. */
  readonly time: Seconds
  /** No larger batches. */
  readonly mostData: number
  /** In all, as far as that can be told before. */
  readonly atMost: Seconds
}

/** Numbers of data that are timed together. */
const CURVE_SIZES = [2, 4, 8]
/** Where twice as many gain less, for each, they gain nothing. */
const GAINS = 0.02
/** After so many sizes that gain nothing, larger ones are not tried. */
const FRUITLESS = 2

/** Of one and of so many, each a run so that it is warm and one that counts at least. */
const costOf = (size: number, time: Seconds): number => 2 * (1 + size) * time

/** To time all sizes takes about so long. */
export const curveCost = (time: Seconds): number => CURVE_SIZES.reduce((sum, size) => sum + costOf(size, time), 0)

/**
 * What several data of a block take at once: of two, four and eight, as long as that gains. Beside each size one is timed again: the
 * machine may be busier than it was, and what one takes at least is what counts.
 * @returns undefined where nothing gains
 */
export const timeBatches = async ({ timed, time, mostData, atMost }: BatchTiming): Promise<BatchCurve | undefined> => {
  const points: BatchPoint[] = []
  let spent = 0
  let fruitless = 0
  for (const size of CURVE_SIZES) {
    spent += costOf(size, time)
    if (size > mostData || spent > atMost || fruitless === FRUITLESS) break
    const one = await timed(1)
    const together = await timed(size)
    if (one === undefined || together === undefined) break
    const before = points.at(-1) ?? { size: 1, times: 1 }
    const times = Math.max(before.times, together / Math.min(time, one))
    const isFruitless = times / size > (1 - GAINS) * (before.times / before.size)
    fruitless = isFruitless ? fruitless + 1 : 0
    points.push({ size, times })
  }
  return batchCurve(points)
}
