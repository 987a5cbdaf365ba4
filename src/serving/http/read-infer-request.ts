import { isUtf8 } from 'node:buffer'
import { z } from 'zod'
import { ELEMENT_TYPES, elementCount } from '../../core/tensor.ts'
import { ELEMENT_OF, isDatatype } from '../datatypes.ts'
import type { InferInput } from '../inference-service.ts'
import { isSet, type Parameters, refuseClasses, refuseSharedMemory, wholeNumber } from '../parameters.ts'
import { ServingError } from '../serving-error.ts'
import { elementsOf } from './json-elements.ts'
import { parseJson } from './parse-json.ts'
import type { RecentHeads } from './recent-heads.ts'

/** Of all inputs or outputs; of the dimensions of one. */
const MOST_TENSORS = 4096
const MOST_DIMENSIONS = 64
const MOST_PARAMETERS = 256

const name = z.string().max(1000)
/** Whole numbers of 16 digits come as text. */
const parameter = z.union([z.boolean(), z.number(), z.string().max(100_000)])
const parameters = z
  .record(name, parameter)
  .default({})
  .refine(all => Object.keys(all).length <= MOST_PARAMETERS, `at most ${MOST_PARAMETERS} parameters`)

const schema = z.object({
  id: name.default(''),
  parameters,
  inputs: z
    .array(
      z.object({
        name,
        datatype: z.string().max(20),
        shape: z
          .array(
            z
              .int()
              .min(0)
              .max(2 ** 40)
          )
          .max(MOST_DIMENSIONS),
        parameters,
        data: z.unknown().optional()
      })
    )
    .min(1)
    .max(MOST_TENSORS),
  outputs: z.array(z.object({ name, parameters })).max(MOST_TENSORS).optional()
})

/** A request for an inference, as it came over HTTP. */
export interface InferRequest {
  readonly id: string
  readonly parameters: Parameters
  readonly inputs: readonly InferInput[]
  readonly outputs: readonly string[] | undefined
  /** Whether an output is answered as binary data. */
  readonly isBinary: (output: string) => boolean
}

/** What stands before the tensors; they are cut off the rest of the body, in order. */
export interface InferHead extends Omit<InferRequest, 'inputs'> {
  readonly inputs: readonly (Omit<InferInput, 'data'> & {
    /** Those that do not come as binary data. */
    readonly data: InferInput['data'] | undefined
    /** Of binary data. */
    readonly size: number
  })[]
}

/**
 * @param header bytes of JSON before the tensors; undefined: it is JSON alone
 * @param heads the last ones that stood before binary data
 * @throws ServingError with what is wrong
 */
export const readInferRequest = (
  body: Uint8Array<ArrayBuffer>,
  header: number | undefined,
  heads: RecentHeads<InferHead>
): InferRequest => {
  if (header !== undefined && header > body.byteLength)
    throw new ServingError(
      'badRequest',
      `Inference-Header-Content-Length is ${header}, and the body has ${body.byteLength} bytes`
    )
  const text = Buffer.from(body.buffer, body.byteOffset, header ?? body.byteLength)
  if (!isUtf8(text)) throw new ServingError('badRequest', 'the request JSON is not UTF-8')
  const json = text.toString('utf8')
  const head = header === undefined ? headOf(json) : heads.of(json, headOf)
  const { id, parameters: own, outputs, isBinary } = head
  return { id, parameters: own, outputs, isBinary, inputs: withBinary(head, body.subarray(header ?? body.byteLength)) }
}

const headOf = (json: string): InferHead => {
  const { id, parameters: given, inputs, outputs } = checked(parseJson(json))
  const all = mapOf(given)
  const isBinaryAtAll = isSet(all, 'binary_data_output')
  const told = new Map(outputs?.map(output => [output.name, mapOf(output.parameters)]))
  for (const [output, own] of told) {
    refuseClasses(output, own)
    refuseSharedMemory(`output '${output}'`, own)
  }
  return {
    id,
    parameters: all,
    inputs: inputs.map(headOfInput),
    outputs: outputs?.map(output => output.name),
    isBinary: output => {
      const own = told.get(output)
      return own?.has('binary_data') === true ? isSet(own, 'binary_data') : isBinaryAtAll
    }
  }
}

type Given = z.output<typeof schema>

const checked = (json: unknown): Given => {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new ServingError('badRequest', `${issue!.path.join('.') || 'the request'}: ${issue!.message}`)
}

const mapOf = (record: Readonly<Record<string, boolean | number | string>>): Parameters =>
  new Map(Object.entries(record))

const headOfInput = ({
  name: input,
  datatype,
  shape,
  parameters: given,
  data
}: Given['inputs'][number]): InferHead['inputs'][number] => {
  const own = mapOf(given)
  refuseSharedMemory(`input '${input}'`, own)
  const size = wholeNumber(own, 'binary_data_size')
  if (size === undefined) return { name: input, datatype, shape, data: jsonData(input, datatype, shape, data), size: 0 }
  if (data !== undefined) throw new ServingError('badRequest', `input '${input}' has both data and binary_data_size`)
  refuseOtherSize(input, datatype, shape, size)
  return { name: input, datatype, shape, data: undefined, size }
}

/** All of the rest must be theirs. */
const withBinary = ({ inputs }: InferHead, rest: Uint8Array<ArrayBuffer>): readonly InferInput[] => {
  let at = 0
  const tensors = inputs.map(({ name: input, datatype, shape, data, size }) => {
    if (data !== undefined) return { name: input, datatype, shape, data }
    if (size > rest.byteLength - at)
      throw new ServingError(
        'badRequest',
        `input '${input}' says binary_data_size ${size}, and ${rest.byteLength - at} bytes are left of the body`
      )
    at += size
    return { name: input, datatype, shape, data: rest.subarray(at - size, at) }
  })
  if (at === rest.byteLength) return tensors
  throw new ServingError(
    'badRequest',
    `the body has ${rest.byteLength - at} bytes more than the inputs' binary_data_size`
  )
}

const jsonData = (
  input: string,
  datatype: string,
  shape: readonly number[],
  data: unknown
): Uint8Array<ArrayBuffer> => {
  if (datatype === 'BF16')
    throw new ServingError('badRequest', `input '${input}': BF16 has no form in JSON: send it as binary data`)
  if (!isDatatype(datatype))
    throw new ServingError(
      'badRequest',
      `input '${input}' has the datatype '${datatype}'; there are ${Object.keys(ELEMENT_OF).join(', ')}, BF16`
    )
  return elementsOf(input, datatype, shape, data)
}

const refuseOtherSize = (input: string, datatype: string, shape: readonly number[], size: number): void => {
  const each = datatype === 'BF16' ? 2 : isDatatype(datatype) ? ELEMENT_TYPES[ELEMENT_OF[datatype]] : 0
  const expected = elementCount(shape) * each
  if (each === 0 || expected === size) return
  throw new ServingError(
    'badRequest',
    `input '${input}' says binary_data_size ${size}; ${elementCount(shape)} elements of ${datatype} are ${expected} bytes`
  )
}
