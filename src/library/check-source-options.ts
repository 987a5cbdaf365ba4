import { z } from 'zod'
import { checkedOptions } from '../core/checked-options.ts'
import { NAME_PATTERN, NAME_WORDS } from '../core/name-pattern.ts'
import type { Items, IterableSourceOptions, SendingSourceOptions } from './source-options.ts'

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
  const { model, rate, items, ...rest } = checkedOptions(schema, options, 'addSource')
  return { ...rest, model, rate, items }
}
