import { z } from 'zod'
import { NAME_PATTERN, NAME_WORDS } from '../core/name-pattern.ts'
import { checked } from './checked.ts'
import type { Items } from './pulled-items.ts'

export interface SourceOptions {
  /** Unique on this device. */
  readonly name: string
  /** The model's name, wherever in the cluster it is owned. @default this device's own, or the cluster's only one */
  readonly model?: string
  /** How many data may be on their way at once. @default 16 */
  readonly window?: number
  /** What it counts beside other sources, where the policy minds. @default 1 */
  readonly weight?: number
  /** So many data a second are expected, for the placement. @default as many as can be served */
  readonly rate?: number
}

export interface IterableSourceOptions extends SourceOptions {
  /** Its data, asked for one after the other, each when the window has room. */
  readonly items: Items
}

export interface SendingSourceOptions extends SourceOptions {
  readonly items?: undefined
  /** So many that were sent may wait for room in the window; more are dropped. @default 1024 */
  readonly queue?: number
}

const isIterable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)

const schema = z.strictObject({
  name: z.string().regex(NAME_PATTERN, NAME_WORDS),
  model: z.string().min(1).optional(),
  window: z.int().min(1).max(100_000).default(16),
  weight: z.number().min(1e-6).max(1e9).default(1),
  rate: z.number().min(1e-6).max(1e9).optional(),
  queue: z.int().min(1).max(10_000_000).default(1024),
  items: z.custom<Items>(isIterable, 'must be an iterable or async iterable of tensors or items').optional()
})

export interface CheckedSource {
  readonly name: string
  readonly model: string | undefined
  readonly window: number
  readonly weight: number
  readonly rate: number | undefined
  readonly queue: number
  readonly items: Items | undefined
}

/** @throws UserError `badOption` */
export const checkSourceOptions = (options: IterableSourceOptions | SendingSourceOptions): CheckedSource => {
  const { model, rate, items, ...rest } = checked(schema, options, 'addSource')
  return { ...rest, model, rate, items }
}
