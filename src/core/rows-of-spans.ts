/**
 * What an owner does at once is drawn in several rows.
 * @param spans with start and end in seconds
 * @returns for each span the number of its row among those of its owner: the first that is free. What began and ended together was
 * run as one and has one row; what touches within a nanosecond does not overlap
 */
export const rowsOfSpans = <Span extends { readonly start: number; readonly end: number }>(
  spans: readonly Span[],
  ownerOf: (span: Span) => string
): readonly number[] => {
  const numbers: number[] = []
  /** By owner, of each row: what it did last. */
  const last = new Map<string, Span[]>()
  const inOrder = [...spans.entries()].sort(([, a], [, b]) => a.start - b.start)
  for (const [i, span] of inOrder) {
    const { start, end } = span
    const rows = last.get(ownerOf(span)) ?? []
    last.set(ownerOf(span), rows)
    const free = rows.findIndex(
      row => nanoseconds(row.end) <= nanoseconds(start) || (row.start === start && row.end === end)
    )
    numbers[i] = free === -1 ? rows.length : free
    rows[numbers[i]] = span
  }
  return numbers
}

const nanoseconds = (time: number): number => Math.round(time * 1e9)
