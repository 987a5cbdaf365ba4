import type { PublishedResult } from './published-results.ts'

/** One line of the table, and one element of the JSON document. */
export interface PublishedRow {
  readonly name: string
  readonly source: string
  /** A ratio of 1: only that it is less is published. */
  readonly published: number
  readonly ours: number
  /** (ours - published) / published. */
  readonly deviation: number
  /** The largest deviation that is claimed; for a direction, that at which it would turn; null: nothing is claimed. */
  readonly limit: number | null
  /** Whether we agree with what is published: within the limit, or, where that is a direction, in it. */
  readonly ok: boolean
}

export const publishedRow = ({ name, source, published, limit }: PublishedResult, ours: number): PublishedRow => {
  const deviation = ours / published - 1
  const row = { name, source, published, ours, deviation }
  if (typeof limit === 'number') return { ...row, limit, ok: Math.abs(deviation) <= limit }
  return { ...row, limit: limit === 'none' ? null : 1 / published - 1, ok: ours < 1 }
}

/** Whether something is claimed that is not so. */
export const isBroken = ({ limit, ok }: PublishedRow): boolean => limit !== null && !ok
