import { z } from 'zod'

/** One or several. */
export const oneOrMore = <T extends z.ZodType>(one: T) =>
  z.union([one.transform(value => [value]), z.array(one)]) as unknown as z.ZodType<z.output<T>[]>
