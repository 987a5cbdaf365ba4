import { z } from 'zod'
import { ServingError } from './serving-error.ts'

const count = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d{1,15}$/)
    .transform(Number)
])

const schema = z.object({
  max_batch_size: count.default(0),
  input: z
    .array(z.object({ name: z.string(), dims: z.array(count).max(64) }))
    .max(4096)
    .default([])
})

/**
 * What a configuration says of the inputs' shapes: dimensions that it leaves open are left out; where it takes batches, one datum
 * is a batch of one.
 * @throws ServingError where it is no configuration
 */
export const shapesFromConfig = (text: string): ReadonlyMap<string, readonly number[]> => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new ServingError('badRequest', `parameter 'config' is not JSON: ${(error as Error).message}`)
  }
  const parsed = schema.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new ServingError('badRequest', `parameter 'config': ${issue!.path.join('.')}: ${issue!.message}`)
  }
  const { max_batch_size: batch, input } = parsed.data
  const whole = input.map(
    ({ name, dims }) => [name, batch > 0 ? [1, ...dims] : dims.map((d, i) => (i === 0 && d < 0 ? 1 : d))] as const
  )
  return new Map(whole.filter(([, dims]) => dims.every(dim => dim >= 0)))
}
