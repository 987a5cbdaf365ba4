import type { CutPoint } from './cut-points.ts'

/** A part may do at most this many times the mean work, where the candidates allow it. */
const HEAVIEST = 1.75
/** The same of FLOPs alone, which say less of the time it takes. */
const HEAVIEST_FLOPS = 1.95
/** How much an even split is worth against bytes that cross; both are relative to the model's work. */
const EVENNESS = 0.015
/** Bytes per second at which an activation is copied out of one block and into the next, layouts changed. */
const CROSSING_RATE = 0.75e9

/**
 * Choose parts - 1 cut points: least crossing bytes and most even work together, by dynamic programming over the
 * candidates; a part over twice the mean only where nothing else is possible. Deterministic: ties go to the earlier cut.
 *
 * @param work seconds of each layer on a nominal core
 * @param flops of each layer: no part is over twice the mean of these either, where the candidates allow it
 * @returns ascending indices into `candidates`; fewer than asked when there are not enough candidates
 */
export const chooseCuts = (
  candidates: readonly CutPoint[],
  work: readonly number[],
  flops: readonly number[],
  parts: number
): number[] => {
  const cuts = Math.min(parts - 1, candidates.length)
  if (cuts <= 0) return []
  const total = Math.max(prefixSums(work).at(-1)!, Number.MIN_VALUE)
  const positions = [...candidates.map(c => c.position), work.length]
  const workShare = shares(work, positions, cuts + 1)
  const flopsShare = shares(flops, positions, cuts + 1)
  const part = (from: number, to: number): number => {
    const share = workShare(from, to)
    const excess = Math.max(0, share - HEAVIEST) + Math.max(0, flopsShare(from, to) - HEAVIEST_FLOPS)
    return EVENNESS * (share - 1) ** 2 + 1000 * excess
  }
  const crossing = (c: number): number => candidates[c]!.burden / CROSSING_RATE / total
  return cheapestChain(candidates.length, cuts, part, crossing)
}

/** Shortest path with exactly `cuts` stops among `count` places; place -1 is the start, place `count` the end. */
const cheapestChain = (
  count: number,
  cuts: number,
  part: (from: number, to: number) => number,
  stop: (place: number) => number
): number[] => {
  let cost = Array.from({ length: count }, (_, c) => part(-1, c) + stop(c))
  const from: number[][] = []
  for (let done = 1; done < cuts; done++) {
    const next = new Array<number>(count).fill(Number.POSITIVE_INFINITY)
    const back = new Array<number>(count).fill(-1)
    for (let c = done; c < count; c++) {
      let dearest = 0
      for (let b = c - 1; b >= done - 1; b--) {
        const own = part(b, c) + stop(c)
        // A part that is too heavy only becomes dearer as it grows: once it alone costs more, look no further.
        if (own > next[c]! && own > dearest) break
        dearest = Math.max(dearest, own)
        const candidate = cost[b]! + own
        if (candidate <= next[c]!) {
          next[c] = candidate
          back[c] = b
        }
      }
    }
    cost = next
    from.push(back)
  }
  let last = 0
  for (let c = 0; c < count; c++) if (cost[c]! + part(c, count) < cost[last]! + part(last, count)) last = c
  const chosen = [last]
  for (const back of from.toReversed()) chosen.unshift(back[chosen[0]!]!)
  return chosen
}

/** Of the part between two places, against the mean of all parts. */
const shares = (values: readonly number[], positions: readonly number[], parts: number) => {
  const before = prefixSums(values)
  const mean = before.at(-1)! / parts
  const until = positions.map(position => before[position]!)
  return (from: number, to: number): number => (mean === 0 ? 1 : (until[to]! - (from < 0 ? 0 : until[from]!)) / mean)
}

const prefixSums = (values: readonly number[]): number[] => {
  const sums = [0]
  for (const value of values) sums.push(sums.at(-1)! + value)
  return sums
}
