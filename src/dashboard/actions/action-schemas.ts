import { z } from 'zod'

const name = z.string().min(1).max(200)

/** What a page sends for each of its actions. */
export const ACTION_SCHEMAS = {
  drain: z.strictObject({ device: name }),
  'add-source': z.strictObject({ config: z.string().min(1).max(16_384) }),
  'remove-source': z.strictObject({ name }),
  weight: z.strictObject({ name, weight: z.number().min(1e-6).max(1e9) }),
  invite: z.strictObject({})
} as const
