import { isDropped, isFailed, outcomeOf } from '../runtime/ports/sink-entry.ts'
import { hasPicture } from './item-picture.ts'
import type { RecentResult } from './recent-results.ts'

/** Something that was recognised: a class, or a thing in a picture. */
export interface Thing {
  readonly label: string
  readonly score: number
  /** Left, top, right, bottom, in pixels of the picture as its source gave it. */
  readonly box?: readonly [number, number, number, number]
}

/** What a page is told of a datum. */
export interface ShownResult {
  readonly number: number
  /** The source's id. */
  readonly source: string
  readonly datum: number
  readonly item: string
  readonly outcome: 'result' | 'dropped' | 'failed'
  /** Why it was dropped, why it failed; '' where there is a result. */
  readonly because: string
  /** Since 1970, in seconds, when it was done; null of one that was not begun. */
  readonly at: number | null
  /** Seconds; null where there is no result. */
  readonly inferenceTime: number | null
  /** The answer as text, cut where it is long; '' where `things` are the answer. */
  readonly answer: string
  readonly things: readonly Thing[]
  readonly hasPicture: boolean
}

const MOST_THINGS = 100
const MOST_CHARACTERS = 2000
const MOST_ELEMENTS = 12

export const shownResult = ({ number, entry, item }: RecentResult): ShownResult => {
  const things = 'result' in entry ? thingsOf(entry.result) : undefined
  return {
    ...{ number, source: entry.source, datum: entry.datum, item: entry.item.slice(0, 500), outcome: outcomeOf(entry) },
    because: (isFailed(entry) ? entry.cause : isDropped(entry) ? entry.reason : '').slice(0, 500),
    at: entry.doneAt ?? null,
    inferenceTime: 'inferenceTime' in entry ? entry.inferenceTime : null,
    answer: things === undefined && 'result' in entry ? answerText(entry.result) : '',
    things: things ?? [],
    hasPicture: item !== undefined && hasPicture(item)
  }
}

/** Undefined where the answer is no list of what was recognised. */
const thingsOf = (result: unknown): readonly Thing[] | undefined => {
  if (!Array.isArray(result)) return undefined
  const things = result.slice(0, MOST_THINGS).map(thingOf)
  return things.every(thing => thing !== undefined) ? things : undefined
}

const thingOf = (value: unknown): Thing | undefined => {
  if (typeof value !== 'object' || value === null) return undefined
  const { label, index, score, box } = value as { readonly [key: string]: unknown }
  if (typeof score !== 'number' || (typeof label !== 'string' && typeof index !== 'number')) return undefined
  const named = { label: String(label ?? index).slice(0, 100), score }
  const isBox = Array.isArray(box) && box.length === 4 && box.every(Number.isFinite)
  return isBox ? { ...named, box: box as unknown as NonNullable<Thing['box']> } : named
}

const answerText = (result: unknown): string => {
  if (typeof result === 'object' && result !== null && 'text' in result && typeof result.text === 'string')
    return result.text.slice(0, MOST_CHARACTERS)
  const text = typeof result === 'string' ? result : JSON.stringify(result, (_, value) => shortened(value))
  return (text ?? '').slice(0, MOST_CHARACTERS)
}

const shortened = (value: unknown): unknown =>
  Array.isArray(value) && value.length > MOST_ELEMENTS
    ? [...value.slice(0, MOST_ELEMENTS), `… ${value.length} in all`]
    : value
