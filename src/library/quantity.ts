import { z } from 'zod'

/** Seconds, bytes, rates: a number, or text with a unit. */
export const quantity = <T extends number>(parse: (text: string) => T, example: string) =>
  z
    .union([z.number().min(0).finite(), z.string()], { error: `must be a number, or text like "${example}"` })
    .transform((value, context): T => {
      if (typeof value === 'number') return value as T
      try {
        return parse(value)
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message })
        return z.NEVER
      }
    })
