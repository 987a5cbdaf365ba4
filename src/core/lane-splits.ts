import type { LaneSplit } from './lane-split.ts'

/** A number, or what is measured to be best. */
export type LaneChoice = number | 'auto'

/**
 * What a processor of so many cores may be shared out as: first one lane with all of them, then twice as many lanes each time, and one
 * thread alone, which is what some small blocks are fastest on. What was given as a number is that number.
 */
export const laneSplits = (lanes: LaneChoice, threads: LaneChoice, cores: number): readonly LaneSplit[] => {
  const threadsOf = (count: number): number => (threads === 'auto' ? Math.max(1, Math.floor(cores / count)) : threads)
  const mostLanes = threads === 'auto' ? cores : Math.max(1, Math.floor(cores / threads))
  const counts = lanes === 'auto' ? [...doublings(mostLanes), mostLanes] : [lanes]
  const all = counts.map(count => ({ lanes: count, threads: threadsOf(count) }))
  if (threads === 'auto') all.push({ lanes: lanes === 'auto' ? 1 : lanes, threads: 1 })
  return all.filter((split, i) => all.findIndex(other => isSame(other, split)) === i)
}

/** Powers of two below `most`. */
const doublings = (most: number): number[] => {
  const all: number[] = []
  for (let count = 1; count < most; count *= 2) all.push(count)
  return all
}

const isSame = (a: LaneSplit, b: LaneSplit): boolean => a.lanes === b.lanes && a.threads === b.threads
