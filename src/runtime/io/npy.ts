import { ELEMENT_TYPES, type ElementType, elementCount, type Tensor } from '../../core/tensor.ts'
import { decodeStrings, encodeStrings } from '../engine/string-elements.ts'

/**
 * NumPy's .npy files, versions 1 to 3: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * Numbers of either byte order, C or Fortran order, and fixed-width Unicode strings; no pickled objects, no records.
 */

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
const MAX_HEADER = 65_536
const MAX_RANK = 64

/** Without their byte order. */
const TYPES: Readonly<Record<string, ElementType>> = {
  f4: 'float32',
  f8: 'float64',
  f2: 'float16',
  i1: 'int8',
  u1: 'uint8',
  i2: 'int16',
  u2: 'uint16',
  i4: 'int32',
  u4: 'uint32',
  i8: 'int64',
  u8: 'uint64',
  b1: 'bool'
}

export type NpyArray = Pick<Tensor, 'type' | 'dims' | 'data'>

/** @throws RangeError that says what is wrong with the file */
export const decodeNpy = (file: Uint8Array): NpyArray => {
  const { descr, fortran, dims, offset } = parseHeader(file)
  const [, order, kind, width] = /^([<>|=])([a-zA-Z])(\d+)$/.exec(descr) ?? []
  if (kind === undefined) throw new RangeError(`elements of type ${descr} cannot be read`)
  const type = kind === 'U' ? 'string' : TYPES[`${kind}${width}`]
  if (type === undefined) throw new RangeError(`elements of type ${descr} cannot be read`)
  const size = type === 'string' ? Number(width) * 4 : ELEMENT_TYPES[type]
  const count = elementCount(dims)
  if (!Number.isSafeInteger(count * size) || file.byteLength - offset !== count * size) {
    throw new RangeError(
      `${descr} of shape (${dims.join(', ')}) is ${count * size} bytes and the file has ${file.byteLength - offset}`
    )
  }
  let data = new Uint8Array(file.subarray(offset)) // a copy, at offset 0 of its own buffer
  if (order === '>') swapBytes(data, type === 'string' ? 4 : size)
  if (fortran && dims.length > 1) data = toRowMajor(data, dims, size)
  return { type, dims, data: type === 'string' ? fromUtf32(data, size, count) : data }
}

export const encodeNpy = ({ type, dims, data }: NpyArray): Uint8Array<ArrayBuffer> => {
  const strings = type === 'string' ? toUtf32(decodeStrings(data)) : undefined
  const descr = strings?.descr ?? `${ELEMENT_TYPES[type] === 1 ? '|' : '<'}${codeOf(type)}`
  const shape = dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(', ')})`
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`
  // The data starts at a multiple of 64, as NumPy does it, so that it can be mapped.
  const header = `${dictionary.padEnd(Math.ceil((dictionary.length + 11) / 64) * 64 - 11)}\n`
  const payload = strings?.data ?? data
  const out = new Uint8Array(10 + header.length + payload.byteLength)
  out.set([...MAGIC, 1, 0, header.length & 255, header.length >>> 8])
  out.set(new TextEncoder().encode(header), 10)
  out.set(payload, 10 + header.length)
  return out
}

const codeOf = (type: ElementType): string => Object.entries(TYPES).find(([, known]) => known === type)![0]

interface Header {
  readonly descr: string
  readonly fortran: boolean
  readonly dims: readonly number[]
  readonly offset: number
}

const parseHeader = (file: Uint8Array): Header => {
  if (file.byteLength < 12 || MAGIC.some((byte, i) => file[i] !== byte)) throw new RangeError('it is not a .npy file')
  const version = file[6]!
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (version < 1 || version > 3) throw new RangeError(`.npy version ${version} is not known (1, 2 and 3 are)`)
  const start = version === 1 ? 10 : 12
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > MAX_HEADER || start + length > file.byteLength)
    throw new RangeError(`its header of ${length} bytes is cut off or too long`)
  const text = new TextDecoder().decode(file.subarray(start, start + length))
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1]
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1]
  const shape = /'shape'\s*:\s*\(([\d,\sL]*)\)/.exec(text)?.[1]
  if (descr === undefined || fortran === undefined || shape === undefined) {
    throw new RangeError('its header does not name the type, order and shape of plain elements')
  }
  const dims = shape.split(',').flatMap(dim => (dim.trim() === '' ? [] : [Number.parseInt(dim, 10)]))
  if (dims.length > MAX_RANK || !dims.every(Number.isSafeInteger))
    throw new RangeError(`its shape (${shape}) cannot be read`)
  return { descr, fortran: fortran === 'True', dims, offset: start + length }
}

const swapBytes = (data: Uint8Array, size: number): void => {
  for (let at = 0; at < data.byteLength; at += size) data.subarray(at, at + size).reverse()
}

/** Column-major to row-major, element by element. */
const toRowMajor = (data: Uint8Array, dims: readonly number[], size: number): Uint8Array<ArrayBuffer> => {
  const out = new Uint8Array(data.byteLength)
  const index = dims.map(() => 0)
  const strides = dims.map((_, axis) => elementCount(dims.slice(0, axis)))
  for (let at = 0; at < data.byteLength; at += size) {
    let from = 0
    for (const [axis, i] of index.entries()) from += i * strides[axis]!
    out.set(data.subarray(from * size, (from + 1) * size), at)
    for (let axis = dims.length - 1; axis >= 0 && ++index[axis]! === dims[axis]; axis--) index[axis] = 0
  }
  return out
}

const fromUtf32 = (data: Uint8Array<ArrayBuffer>, size: number, count: number): Uint8Array<ArrayBuffer> => {
  const points = new Uint32Array(data.buffer)
  const width = size / 4
  return encodeStrings(
    Array.from({ length: count }, (_, i) => {
      const own = points.subarray(i * width, (i + 1) * width)
      const end = own.findLastIndex(point => point !== 0) + 1
      if (own.some(point => point > 0x10ffff)) throw new RangeError(`string ${i} is not Unicode`)
      return String.fromCodePoint(...own.subarray(0, end))
    })
  )
}

const toUtf32 = (strings: readonly string[]): { readonly descr: string; readonly data: Uint8Array } => {
  const points = strings.map(text => Array.from(text, character => character.codePointAt(0)!))
  const width = Math.max(1, ...points.map(own => own.length))
  const data = new Uint32Array(width * strings.length)
  for (const [i, own] of points.entries()) data.set(own, i * width)
  return { descr: `<U${width}`, data: new Uint8Array(data.buffer) }
}
