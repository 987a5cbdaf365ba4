import type { BatchCurve } from '../../core/batch-curve.ts'
import type { Seconds } from '../../core/units.ts'
import type { LiveTask } from './live-task.ts'

export interface BatchRules<T> {
  /** Of the block whose turn it is. */
  readonly curve: BatchCurve
  /** Whether one who waits may be run with the task whose turn it is. */
  readonly mayJoin: (waiting: T) => boolean
  readonly now: Seconds
  /** Of one datum's run of it. */
  readonly takes: Seconds
  /** Seconds that a task is to take here, itself included. */
  readonly workOf: (task: T) => number
  /** Of each other lane, in how many seconds it will be free. */
  readonly others: readonly number[]
}

/**
 * Who is run with the task whose turn it is, of those who wait now, first those who would come first. Nobody is waited for.
 *
 * Where all are of sources that have more than the network serves, as many as gives most results a second. Otherwise as many as make
 * everybody here wait least, in all and by weight: whoever is in the batch comes out when its last does, and who is not waits for all
 * of it, but for less than they would take one after the other. So few who wait make small batches, and many make large ones.
 * No batch is so large that somebody misses a deadline who would not, were each run by itself; none takes what would be a free lane's share.
 *
 * @param waiting in the order in which they would be served
 * @returns without the task itself; none where it is best alone
 */
export const batchOf = <T extends LiveTask>(task: T, waiting: readonly T[], rules: BatchRules<T>): readonly T[] => {
  const { curve, mayJoin, others } = rules
  const free = 1 + others.filter(left => left === 0).length
  const most = Math.min(curve.best, Math.ceil((1 + waiting.length) / free))
  const mates = waiting.filter(mayJoin).slice(0, most - 1)
  if (mates.length === 0) return []
  const isBulk = [task, ...waiting].every(({ inBulk }) => inBulk === true)
  const price = isBulk ? priceOfRate(curve) : priceOfWaiting(task, mates, waiting, rules)
  let best = 1
  let least = price(1)
  for (let size = 2; size <= mates.length + 1; size++) {
    const cost = price(size)
    if (cost < least && isInTime(task, mates, waiting, rules, size)) {
      least = cost
      best = size
    }
  }
  return mates.slice(0, best - 1)
}

const priceOfRate =
  (curve: BatchCurve) =>
  (size: number): number =>
    curve.times(size) / size

/** Weight times how long, in runs of one datum, all together are here with a batch of so many; who is not in it goes to the first free lane. */
const priceOfWaiting = <T extends LiveTask>(
  task: T,
  mates: readonly T[],
  waiting: readonly T[],
  { curve, takes, others }: BatchRules<T>
): ((size: number) => number) => {
  const place = new Map(mates.map((mate, i) => [mate, i + 1]))
  const laterFree = others.map(left => left / takes)
  return size => {
    const over = curve.times(size)
    const lanes = [over, ...laterFree]
    let sum = task.weight * over
    for (const other of waiting) {
      const at = place.get(other)
      const isMember = at !== undefined && at < size
      sum += other.weight * (isMember ? over : ++lanes[lanes.indexOf(Math.min(...lanes))]!)
    }
    return sum
  }
}

/** Whether nobody comes too late for the batch who would be in time without it. */
const isInTime = <T extends LiveTask>(
  task: T,
  mates: readonly T[],
  waiting: readonly T[],
  { curve, now, takes, workOf, others }: BatchRules<T>,
  size: number
): boolean => {
  const members = new Set(mates.slice(0, size - 1))
  const longer = (curve.times(size) - 1) * takes
  /** Until who comes next would be served, at the earliest, were each run by itself. */
  let before: number = takes
  const isHurt = (other: T, alone: number, together: number): boolean => {
    const due = other.availableAt + (other.deadline ?? Number.POSITIVE_INFINITY)
    return now + alone <= due && now + together > due
  }
  const own = workOf(task)
  if (isHurt(task, own, own + longer)) return false
  for (const other of waiting) {
    const work = workOf(other)
    const isMember = members.has(other)
    if (isHurt(other, before / (1 + others.length) + work, longer + work + (isMember ? 0 : takes))) return false
    if (isMember) before += takes
  }
  return true
}
