import { elementCount } from '../../core/tensor.ts'
import { withLengths } from '../../runtime/engine/string-elements.ts'
import type { InferTensorContents } from '../../runtime/generated/inference/inference_pb.ts'
import { type Datatype, isDatatype } from '../datatypes.ts'
import { ServingError } from '../serving-error.ts'

type Field = Exclude<keyof InferTensorContents, '$typeName' | '$unknown'>

/** Where elements of a datatype stand, and as what they travel otherwise. */
const FIELDS: Partial<Record<Datatype, readonly [Field, (values: never) => ArrayBufferView<ArrayBuffer>]>> = {
  BOOL: ['boolContents', (values: boolean[]) => Uint8Array.from(values, value => (value ? 1 : 0))],
  INT8: ['intContents', (values: number[]) => Int8Array.from(inRange(values, -128, 127))],
  INT16: ['intContents', (values: number[]) => Int16Array.from(inRange(values, -32_768, 32_767))],
  INT32: ['intContents', (values: number[]) => Int32Array.from(values)],
  INT64: ['int64Contents', (values: bigint[]) => BigInt64Array.from(values)],
  UINT8: ['uintContents', (values: number[]) => Uint8Array.from(inRange(values, 0, 255))],
  UINT16: ['uintContents', (values: number[]) => Uint16Array.from(inRange(values, 0, 65_535))],
  UINT32: ['uintContents', (values: number[]) => Uint32Array.from(values)],
  UINT64: ['uint64Contents', (values: bigint[]) => BigUint64Array.from(values)],
  FP32: ['fp32Contents', (values: number[]) => Float32Array.from(values)],
  FP64: ['fp64Contents', (values: number[]) => Float64Array.from(values)],
  BYTES: ['bytesContents', (values: Uint8Array[]) => withLengths(values)]
}

/** Elements in a list of their own kind, as bytes. @throws ServingError where they are not as many as the shape says */
export const contentsOf = (
  name: string,
  datatype: string,
  shape: readonly number[],
  contents: InferTensorContents | undefined
): Uint8Array<ArrayBuffer> => {
  const place = isDatatype(datatype) ? FIELDS[datatype] : undefined
  if (place === undefined)
    throw new ServingError(
      'badRequest',
      `input '${name}': ${datatype} has no contents of its own kind: send raw_input_contents`
    )
  const [field, toBytes] = place
  const values = (contents?.[field] ?? []) as readonly unknown[]
  const count = elementCount(shape)
  if (values.length !== count)
    throw new ServingError(
      'badRequest',
      `input '${name}' has ${values.length} elements of ${datatype}; its shape [${shape.join(',')}] has ${count}`
    )
  try {
    const { buffer, byteOffset, byteLength } = toBytes(values as never)
    return new Uint8Array(buffer, byteOffset, byteLength)
  } catch (error) {
    if (error instanceof RangeError) throw new ServingError('badRequest', `input '${name}': ${error.message}`)
    throw error
  }
}

const inRange = (values: number[], least: number, most: number): number[] => {
  const odd = values.find(value => value < least || value > most)
  if (odd !== undefined) throw new RangeError(`${odd} is not within ${least} to ${most}`)
  return values
}
