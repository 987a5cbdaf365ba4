/** What several data of a block take when they are run at once, as a multiple of what one takes. */
export interface BatchPoint {
  readonly size: number
  readonly times: number
}

/** What gains less is not worth waiting for another: a share of the time. */
export const LEAST_GAIN = 0.05
/** As many points as anybody measures, and as large a batch. */
export const MOST_POINTS = 32
export const LARGEST_BATCH = 4096

/**
 * The curve of a block on a device, between its points straight. It is worth having only where some batch gains:
 * `batchCurve` makes one.
 */
export class BatchCurve {
  readonly points: readonly BatchPoint[]
  /** The size at which most data are done in a second. */
  readonly best: number

  /** @param points by size, ascending, the first of one datum */
  constructor(points: readonly BatchPoint[]) {
    this.points = points
    this.best = points.reduce((best, point) => (each(point) < each(best) ? point : best)).size
  }

  /** What `size` data take together, in times of one; also for sizes that are no whole number. Beyond the last point as at it, for each. */
  times(size: number): number {
    const { points } = this
    for (let i = 1; i < points.length; i++) {
      const [a, b] = [points[i - 1]!, points[i]!]
      if (size <= b.size) return a.times + ((size - a.size) / (b.size - a.size)) * (b.times - a.times)
    }
    return size * each(points.at(-1)!)
  }

  /** What each of so many takes, in times of one; never more than the best, which is as many as are run at once. */
  share(size: number): number {
    const whole = Math.min(this.best, Math.max(1, size))
    return this.times(whole) / whole
  }
}

const each = ({ size, times }: BatchPoint): number => times / size

/**
 * @param points ascending from a size above 1
 * @returns undefined where no size gains enough, or what is told is none: sizes in order, and more data take no less than one
 */
export const batchCurve = (points: readonly BatchPoint[]): BatchCurve | undefined => {
  const all = [{ size: 1, times: 1 }, ...points]
  const isOne =
    points.length > 0 &&
    points.length <= MOST_POINTS &&
    points.every(
      ({ size, times }, i) =>
        Number.isInteger(size) && size <= LARGEST_BATCH && size > all[i]!.size && times >= 1 && Number.isFinite(times)
    )
  if (!isOne) return undefined
  const curve = new BatchCurve(all)
  return curve.share(curve.best) <= 1 - LEAST_GAIN ? curve : undefined
}
