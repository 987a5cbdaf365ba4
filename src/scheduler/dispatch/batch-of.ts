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
}

/**
 * Who is run with the task whose turn it is, of those who wait now, first those who would come first. Nobody is waited for.
 *
 * Where all are of sources that have more than the network serves, as many as gives most results a second. Otherwise as many as make
 * everybody here wait least, in all and by weight: whoever is in the batch comes out when its last does, and who is not waits for all
 * of it, but for less than they would take one after the other. So few who wait make small batches, and many make large ones.
 * No batch is so large that somebody misses a deadline who would not, were each run by itself.
 *
 * @param waiting in the order in which they would be served
 * @returns without the task itself; none where it is best alone
 */
export const batchOf = <T extends LiveTask>(task: T, waiting: readonly T[], rules: BatchRules<T>): readonly T[] => {
  const { curve, mayJoin } = rules
  const mates = waiting.filter(mayJoin).slice(0, curve.best - 1)
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

/** Seconds times weight by which all together wait longer than one after the other, in a batch of so many. */
const priceOfWaiting = <T extends LiveTask>(
  task: T,
  mates: readonly T[],
  waiting: readonly T[],
  { curve }: BatchRules<T>
): ((size: number) => number) => {
  const place = new Map(mates.map((mate, i) => [mate, i + 1]))
  return size => {
    const takes = curve.times(size)
    let sum = task.weight * (takes - 1)
    /** Of the batch, those who would have been served by now. */
    let before = 1
    for (const other of waiting) {
      const at = place.get(other)
      if (at !== undefined && at < size) before++
      sum += other.weight * (takes - before)
    }
    return sum
  }
}

/** Whether nobody comes too late for the batch who would be in time without it. */
const isInTime = <T extends LiveTask>(
  task: T,
  mates: readonly T[],
  waiting: readonly T[],
  { curve, now, takes, workOf }: BatchRules<T>,
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
    if (isHurt(other, before + work, longer + work + (isMember ? 0 : takes))) return false
    if (isMember) before += takes
  }
  return true
}
