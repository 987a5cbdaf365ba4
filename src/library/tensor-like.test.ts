import { expect, test } from 'vitest'
import type { Tensor } from '../core/tensor.ts'
import { fromTensor, type Tensors, toTensors } from '../runtime/io/tensor-like.ts'
import { memoryItem } from './memory-item.ts'

const only = (given: Tensors): Tensor => toTensors(given)[0]!

test('every kind of array comes back as it was given, of its own type', () => {
  const kinds = {
    float32: Float32Array.of(1.5, -2),
    float64: Float64Array.of(1.5, -2),
    int8: Int8Array.of(1, -2),
    uint8: Uint8Array.of(1, 2),
    int16: Int16Array.of(1, -2),
    uint16: Uint16Array.of(1, 2),
    int32: Int32Array.of(1, -2),
    uint32: Uint32Array.of(1, 2),
    int64: BigInt64Array.of(1n, -2n),
    uint64: BigUint64Array.of(1n, 2n)
  }
  for (const [type, data] of Object.entries(kinds)) {
    expect(fromTensor(only({ dims: [2], data }))).toEqual({ type, dims: [2], data })
    expect(fromTensor(only({ type, dims: [2], data }))).toEqual({ type, dims: [2], data })
  }
  expect(fromTensor(only({ type: 'bool', dims: [2], data: Uint8Array.of(1, 0) })).type).toBe('bool')
  expect(fromTensor(only({ type: 'float16', dims: [1], data: Uint16Array.of(0x3c00) })).type).toBe('float16')
  expect(fromTensor(only({ dims: [2], data: ['grün', ''] }))).toEqual({ type: 'string', dims: [2], data: ['grün', ''] })
})

test('a plain list is float32 unless it is said to be something else', () => {
  expect(only({ dims: [2], data: [1.5, 2] })).toMatchObject({ type: 'float32' })
  expect(fromTensor(only({ type: 'int64', dims: [2], data: [1, 2] })).data).toEqual(BigInt64Array.of(1n, 2n))
  expect(fromTensor(only({ dims: [0], data: [] }))).toEqual({ type: 'float32', dims: [0], data: new Float32Array() })
})

test('a part of a larger buffer is copied alone, and what is done to it later changes nothing', () => {
  const data = new Float32Array([9, 1, 2, 9]).subarray(1, 3)
  const tensor = only({ dims: [2], data })
  data.fill(7)
  expect(fromTensor(tensor).data).toEqual(Float32Array.of(1, 2))
  expect([tensor.data.byteOffset, tensor.data.buffer.byteLength]).toEqual([0, 8])
  expect(fromTensor(only({ dims: [3], data: Buffer.from('abc') })).data).toEqual(Uint8Array.of(97, 98, 99))
})

test('named, listed or alone, with or without a name for people', () => {
  const x = { dims: [1], data: [1] }
  const names = (given: Tensors) => toTensors(given).map(({ name }) => name)
  expect(names({ x, y: x })).toEqual(['x', 'y'])
  expect(names([{ name: 'a', ...x }])).toEqual(['a'])
  expect(names(x)).toEqual([''])
  expect(memoryItem(x, 3).name).toBe('3')
  expect(memoryItem({ name: 'door', tensors: { x } }, 3)).toMatchObject({ name: 'door', because: '' })
  expect(memoryItem({ tensors: x }, 3).tensors).toHaveLength(1)
})

test.each<[string, unknown, RegExp]>([
  ['too few elements', { x: { dims: [2, 2], data: [1] } }, /tensor "x" has 1 elements, and \[2, 2\] has 4/],
  ['dims that are none', { x: { dims: [1.5], data: [1] } }, /tensor "x" has the dims \[1\.5\]; they are whole numbers/],
  ['a type that is none', { x: { type: 'float', dims: [1], data: [1] } }, /is of type "float"; known: float32,/],
  [
    'another type than its array',
    { x: { type: 'int8', dims: [1], data: new Float32Array(1) } },
    /said to be int8, and its data are float32/
  ],
  ['numbers for strings', { x: { type: 'string', dims: [1], data: new Float32Array(1) } }, /said to be string/],
  ['no tensor', { x: 3 }, /tensor "x" is no tensor/],
  ['nothing', null, /is null, no tensor/],
  ['a DataView', { dims: [1], data: new DataView(new ArrayBuffer(1)) }, /the tensor/]
])('%s makes a datum that fails and says so', (_, given, words) => {
  const item = memoryItem(given as never, 0)
  expect(item.tensors).toBeUndefined()
  expect(item.because).toMatch(words)
})
