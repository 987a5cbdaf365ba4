import { elementCount, TYPED_ARRAYS } from '../../core/tensor.ts'
import { encodeStrings } from '../../runtime/engine/string-elements.ts'
import { type Datatype, ELEMENT_OF } from '../datatypes.ts'
import { ServingError } from '../serving-error.ts'

/** Least and most of whole numbers up to 32 bits. */
const RANGES: Partial<Record<Datatype, readonly [number, number]>> = {
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 2 ** 32 - 1],
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-(2 ** 31), 2 ** 31 - 1]
}
const LONG_RANGES: Partial<Record<Datatype, readonly [bigint, bigint]>> = {
  UINT64: [0n, 2n ** 64n - 1n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n]
}
const DEEPEST = 64

const refuse = (input: string, words: string): never => {
  throw new ServingError('badRequest', `input '${input}': ${words}`)
}

/**
 * The elements of an input's `data`, flat or nested, row by row, as bytes.
 * @throws ServingError where there are more or fewer than the shape says, or one is none of the datatype
 */
export const elementsOf = (
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  data: unknown
): Uint8Array<ArrayBuffer> => {
  if (!Array.isArray(data)) return refuse(name, `its data must be a list, got ${typeof data}`)
  if (datatype === 'FP16') return refuse(name, 'FP16 has no form in JSON: send it as binary data')
  const count = elementCount(shape)
  const flat = flattened(name, data, count)
  if (flat.length !== count)
    refuse(name, `its data have ${flat.length} elements; its shape [${shape.join(',')}] has ${count}`)
  return bytesOf(name, datatype, flat)
}

const flattened = (name: string, data: readonly unknown[], most: number): readonly unknown[] => {
  if (!data.some(Array.isArray)) return data
  const flat: unknown[] = []
  const add = (list: readonly unknown[], depth: number): void => {
    if (depth > DEEPEST) refuse(name, `its data are lists within lists, more than ${DEEPEST} deep`)
    for (const element of list) {
      if (Array.isArray(element)) add(element, depth + 1)
      else if (flat.push(element) > most) refuse(name, `its data have more elements than its shape, which has ${most}`)
    }
  }
  add(data, 1)
  return flat
}

const bytesOf = (name: string, datatype: Datatype, flat: readonly unknown[]): Uint8Array<ArrayBuffer> => {
  if (datatype === 'BYTES')
    return encodeStrings(flat.map((element, i) => (isText(element) ? element : bad(name, datatype, element, i))))
  const array = new TYPED_ARRAYS[ELEMENT_OF[datatype] as 'float32'](flat.length) as
    | Float32Array<ArrayBuffer>
    | BigInt64Array<ArrayBuffer>
  const read = readerOf(datatype)
  for (let i = 0; i < flat.length; i++) {
    const value = read(flat[i])
    if (value === undefined) bad(name, datatype, flat[i], i)
    array[i] = value as never
  }
  return new Uint8Array(array.buffer)
}

/** Half a surrogate pair, which JSON may have, is no character. */
const isText = (element: unknown): element is string => typeof element === 'string' && !/\p{Surrogate}/u.test(element)

const bad = (name: string, datatype: Datatype, element: unknown, index: number): never =>
  refuse(name, `element ${index} is ${JSON.stringify(element)?.slice(0, 60)}, which is no ${datatype}`)

/** Undefined where it is none. */
const readerOf = (datatype: Datatype): ((element: unknown) => number | bigint | undefined) => {
  const range = RANGES[datatype]
  const long = LONG_RANGES[datatype]
  if (long !== undefined) return element => longOf(element, long)
  if (range !== undefined)
    return element =>
      typeof element === 'number' && Number.isInteger(element) && element >= range[0] && element <= range[1]
        ? element
        : undefined
  if (datatype === 'BOOL')
    return element => (element === true || element === 1 ? 1 : element === false || element === 0 ? 0 : undefined)
  if (datatype === 'FP32')
    return element => (Number.isFinite(Math.fround(numberOf(element))) ? numberOf(element) : undefined)
  return element => (Number.isFinite(numberOf(element)) ? numberOf(element) : undefined)
}

/** Long whole numbers were kept as text. */
const numberOf = (element: unknown): number =>
  typeof element === 'number'
    ? element
    : typeof element === 'string' && /^-?\d{16,}$/.test(element)
      ? Number(element)
      : Number.NaN

const longOf = (element: unknown, [least, most]: readonly [bigint, bigint]): bigint | undefined => {
  const isWhole = Number.isSafeInteger(element) || (typeof element === 'string' && /^-?\d{1,20}$/.test(element))
  if (!isWhole) return undefined
  const value = BigInt(element as number)
  return value >= least && value <= most ? value : undefined
}
