import { z } from 'zod'
import { type AdmissionTerms, DROP_RULES, LATE_RULES } from '../core/admission-terms.ts'
import { checkedOptions } from '../core/checked-options.ts'
import { NAME_PATTERN, NAME_WORDS } from '../core/name-pattern.ts'
import { seconds } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'
import type { Window } from '../core/window.ts'
import type { Items, IterableSourceOptions, SendingSourceOptions } from './source-options.ts'

const isIterable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)

const schema = z.strictObject({
  name: z.string().regex(NAME_PATTERN, NAME_WORDS),
  model: z.string().min(1).optional(),
  window: z.int().min(1).max(100_000).or(z.literal('auto')).default('auto'),
  weight: z.number().min(1e-6).max(1e9).default(1),
  rate: z.number().min(1e-6).max(1e9).optional(),
  queue: z.int().min(1).max(10_000_000).optional(),
  deadline: z.number().positive().max(1e9).default(Number.POSITIVE_INFINITY),
  drop: z.enum(DROP_RULES).optional(),
  late: z.enum(LATE_RULES).default('finish'),
  items: z.custom<Items>(isIterable, 'must be an iterable or async iterable of tensors or items').optional()
})

export interface CheckedSource {
  readonly name: string
  readonly model: string | undefined
  readonly window: Window
  readonly weight: number
  readonly rate: number | undefined
  readonly admission: AdmissionTerms
  readonly items: Items | undefined
}

/** @throws UserError `badOption` */
export const checkSourceOptions = (options: IterableSourceOptions | SendingSourceOptions): CheckedSource => {
  const { name, model, window, weight, rate, items, ...given } = checkedOptions(schema, options, 'addSource')
  const isSending = items === undefined
  const drop = given.drop ?? (isSending ? 'newest' : 'none')
  if (isSending && drop === 'none')
    throw new UserError('addSource: drop "none" needs items: what is sent one by one cannot be made to wait', {
      code: 'badOption',
      facts: { option: 'drop' }
    })
  if (given.late === 'cancel' && given.deadline === Number.POSITIVE_INFINITY)
    throw new UserError('addSource: late "cancel" needs a deadline: without one no datum is late', {
      code: 'badOption',
      facts: { option: 'late' }
    })
  const admission = {
    ...{ deadline: seconds(given.deadline), late: given.late, drop, rate: rate ?? Number.POSITIVE_INFINITY },
    queue: given.queue ?? (isSending ? 1024 : 1)
  }
  return { name, model, window, weight, rate, items, admission }
}
