import { z } from 'zod'
import { ELEMENT_TYPES, type ElementType, elementCount } from '../../core/tensor.ts'
import { ServingError } from '../serving-error.ts'
import { FRIGATE_FAMILIES, type FrigateFamily } from './frigate-families.ts'

/** What Frigate asks: whether there is a model, to take one, or what is in a picture. */
export type FrigateRequest =
  | { readonly kind: 'ask'; readonly model: string }
  | { readonly kind: 'upload'; readonly model: string; readonly file: Uint8Array }
  | { readonly kind: 'detect'; readonly picture: Picture; readonly family: FrigateFamily }

/** A tensor without a name: which input of the model it is for is not said. */
export interface Picture {
  readonly type: ElementType
  readonly dims: readonly number[]
  readonly data: Uint8Array
}

const LARGEST_HEADER = 64 * 1024
const NUMERIC = Object.keys(ELEMENT_TYPES).filter((type): type is ElementType => type !== 'string')

const model_name = z.string().min(1).max(255)
const ask = z.object({ model_request: z.literal(true), model_name })
const upload = z.object({ model_data: z.literal(true), model_name })
const detect = z.object({
  shape: z.array(z.int().min(1).max(65_536)).min(1).max(8),
  dtype: z.enum(NUMERIC as [ElementType, ...ElementType[]]),
  model_type: z.enum(Object.keys(FRIGATE_FAMILIES) as [FrigateFamily, ...FrigateFamily[]]).default('yologeneric')
})

/** @throws ServingError with what is wrong with it */
export const readFrigateRequest = (header: Uint8Array, payload: Uint8Array | undefined): FrigateRequest => {
  const json = parse(header)
  if (typeof json === 'object' && json !== null && 'model_request' in json)
    return { kind: 'ask', model: checked(ask, json).model_name }
  if (typeof json === 'object' && json !== null && 'model_data' in json) {
    const { model_name: model } = checked(upload, json)
    if (payload === undefined) throw new ServingError('badRequest', 'the file of the model is missing')
    return { kind: 'upload', model, file: payload }
  }
  const { shape, dtype, model_type } = checked(detect, json)
  const size = elementCount(shape) * ELEMENT_TYPES[dtype]
  const came = payload?.byteLength ?? 0
  if (payload === undefined || came !== size)
    throw new ServingError('badRequest', `shape [${shape.join(', ')}] of ${dtype} has ${size} bytes; ${came} came`)
  return { kind: 'detect', picture: { type: dtype, dims: shape, data: payload }, family: model_type }
}

const parse = (header: Uint8Array): unknown => {
  if (header.byteLength > LARGEST_HEADER)
    throw new ServingError(
      'badRequest',
      `the header has ${header.byteLength} bytes; at most ${LARGEST_HEADER} are read`
    )
  try {
    return JSON.parse(Buffer.from(header).toString('utf8'))
  } catch (error) {
    throw new ServingError('badRequest', `the header is not JSON: ${(error as Error).message}`)
  }
}

const checked = <T>(schema: z.ZodType<T>, json: unknown): T => {
  const { data, error } = schema.safeParse(json)
  if (error === undefined) return data
  const [issue] = error.issues
  throw new ServingError('badRequest', `header: ${issue!.path.join('.') || 'all of it'}: ${issue!.message}`)
}
