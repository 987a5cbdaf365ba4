import { type Tensor, TYPED_ARRAYS } from '../../core/tensor.ts'
import { decodeStrings } from '../../runtime/engine/string-elements.ts'
import { datatypeOf } from '../datatypes.ts'
import { ServingError } from '../serving-error.ts'

export interface AnswerToWrite {
  readonly model: string
  readonly version: string
  readonly id: string
  readonly outputs: readonly Tensor[]
  readonly isBinary: (output: string) => boolean
}

export interface WrittenAnswer {
  readonly body: Buffer
  /** Bytes of JSON before the tensors; undefined: it is JSON alone. */
  readonly header: number | undefined
}

/** JSON, and behind it those outputs that are wanted as binary data. @throws ServingError for one that has no form in JSON */
export const writeInferAnswer = ({ model, version, id, outputs, isBinary }: AnswerToWrite): WrittenAnswer => {
  const binary = outputs.filter(({ name }) => isBinary(name))
  const parts = outputs.map(tensor => outputJson(tensor, isBinary(tensor.name)))
  const head = JSON.stringify({ model_name: model, model_version: version, ...(id === '' ? {} : { id }) }).slice(0, -1)
  const json = Buffer.from(`${head},"outputs":[${parts.join(',')}]}`)
  if (binary.length === 0) return { body: json, header: undefined }
  return { body: Buffer.concat([json, ...binary.map(({ data }) => data)]), header: json.byteLength }
}

const outputJson = (tensor: Tensor, isBinary: boolean): string => {
  const { name, type, dims, data } = tensor
  const head = JSON.stringify({ name, datatype: datatypeOf(type), shape: dims }).slice(0, -1)
  return isBinary
    ? `${head},"parameters":{"binary_data_size":${data.byteLength}}}`
    : `${head},"data":${elementsJson(tensor)}}`
}

const elementsJson = (tensor: Tensor): string => {
  const { name, type, data } = tensor
  if (type === 'string') return JSON.stringify(decodeStrings(data))
  if (type === 'float16')
    throw new ServingError('badRequest', `output '${name}' is FP16, which has no form in JSON: ask for binary_data`)
  const array = viewOf(tensor)
  if (type === 'bool') return `[${Array.from(array, element => element !== 0).join(',')}]`
  if (type.startsWith('float') && !(array as Float32Array).every(Number.isFinite))
    throw new ServingError(
      'badRequest',
      `output '${name}' has NaN or infinite elements, which have no form in JSON: ask for binary_data`
    )
  return `[${array.join(',')}]`
}

const viewOf = ({ type, data }: Tensor) => {
  const Typed = TYPED_ARRAYS[type as 'float32']
  const isAligned = data.byteOffset % Typed.BYTES_PER_ELEMENT === 0
  const { buffer, byteOffset, byteLength } = isAligned ? data : data.slice()
  return new Typed(buffer, byteOffset, byteLength / Typed.BYTES_PER_ELEMENT)
}
