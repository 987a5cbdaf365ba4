import { z } from 'zod'
import { parseBounded } from '../core/parse-bounded.ts'
import { ServingError } from './serving-error.ts'

/** What holds of a configuration that came with a model. */
export interface ModelConfig {
  /** Of inputs, where it leaves no dimension open; where it takes batches, one datum is a batch of one. */
  readonly shapes: ReadonlyMap<string, readonly number[]>
  /** Data in a request; undefined: it says nothing of batches. */
  readonly mostData: number | undefined
}

const count = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d{1,15}$/)
    .transform(Number)
])

/** Of what is asked for beside these, whatever says nothing is no matter: configurations are sent with all that there could be. */
const only = <S extends z.ZodRawShape>(shape: S) =>
  z.preprocess(given => {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) return given
    return Object.fromEntries(Object.entries(given).filter(([key, value]) => key in shape || says(value)))
  }, z.strictObject(shape))

const says = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value)

const tensor = only({ name: z.string(), data_type: z.string().optional(), dims: z.array(count).max(64) })

/** What is obeyed, and what only describes the model, as the configuration does that a node tells of it. */
const schema = only({
  name: z.string().default(''),
  platform: z.literal(['', 'onnxruntime_onnx']).optional(),
  backend: z.literal(['', 'onnxruntime']).optional(),
  default_model_filename: z.literal(['', 'model.onnx']).optional(),
  version_policy: only({ latest: z.unknown().optional() }).optional(),
  max_batch_size: count.pipe(z.int().min(0)).default(0),
  input: z.array(tensor).max(4096).default([]),
  output: z.array(tensor).max(4096).optional(),
  parameters: only({ metadata: z.unknown().optional() }).optional()
})

/** @param most data that a request may have here @throws ServingError where it is no configuration, or asks for what is not done here */
export const readConfig = (text: string, model: string, most: number): ModelConfig => {
  const { name, max_batch_size: batch, input } = parsed(text)
  if (name !== '' && name !== model) throw wrong(`name: it is "${name.slice(0, 80)}", and the model "${model}"`)
  if (batch > most) throw wrong(`max_batch_size: ${batch} is more than ${most}, which is the most here`)
  const whole = input.map(
    ({ name, dims }) => [name, batch > 0 ? [1, ...dims] : dims.map((d, i) => (i === 0 && d < 0 ? 1 : d))] as const
  )
  return {
    shapes: new Map(whole.filter(([, dims]) => dims.every(dim => dim >= 0))),
    mostData: batch > 0 ? batch : undefined
  }
}

const parsed = (text: string): z.output<typeof schema> => {
  let json: unknown
  try {
    json = parseBounded(text)
  } catch (error) {
    throw new ServingError('badRequest', `parameter 'config' is not JSON: ${(error as Error).message}`)
  }
  const { success, data, error } = schema.safeParse(json)
  if (success) return data
  const issue = error.issues[0]!
  const at = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  if (issue.code !== 'unrecognized_keys') throw wrong(`${at}${issue.message}`)
  throw wrong(`${at}'${issue.keys.slice(0, 5).join("', '")}' is not obeyed here: leave it out`)
}

const wrong = (words: string): ServingError => new ServingError('badRequest', `parameter 'config': ${words}`)
