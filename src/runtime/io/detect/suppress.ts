import type { Box, Candidate } from './detection.ts'

export interface Suppression {
  /** Of two boxes that overlap by more than this, intersection over union, the likelier one stays. */
  readonly iou: number
  /** At most so many stay. */
  readonly limit: number
  /** Boxes of different classes leave each other alone. */
  readonly byClass: boolean
}

/** Best first; non-maximum suppression, greedy. */
export const suppress = (candidates: readonly Candidate[], { iou, limit, byClass }: Suppression): Candidate[] => {
  const kept: Candidate[] = []
  for (const candidate of [...candidates].sort((a, b) => b.score - a.score)) {
    if (kept.length === limit) break
    const isCovered = kept.some(
      other => (!byClass || other.index === candidate.index) && overlap(other.box, candidate.box) > iou
    )
    if (!isCovered) kept.push(candidate)
  }
  return kept
}

const area = ([left, top, right, bottom]: Box): number => Math.max(0, right - left) * Math.max(0, bottom - top)

const overlap = (a: Box, b: Box): number => {
  const both = area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])])
  return both === 0 ? 0 : both / (area(a) + area(b) - both)
}
