import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHalf, toHalf } from '../../core/float16.ts'
import type { Tensor } from '../../core/tensor.ts'
import { decodeTensor, encodeTensor } from './tensor-codec.ts'

const tensor = (values: readonly number[] | Float32Array): Tensor => ({
  name: 'x',
  type: 'float32',
  dims: [values.length],
  data: new Uint8Array(Float32Array.from(values).buffer)
})

const values = ({ data }: Tensor): number[] => Array.from(new Float32Array(data.buffer))
const through = (list: readonly number[], encoding: 'fp16' | 'int8'): number[] =>
  values(decodeTensor(encodeTensor(tensor(list), encoding)))

const numbers = (max: number): fc.Arbitrary<number[]> =>
  fc.array(fc.float({ min: -Math.fround(max), max: Math.fround(max), noNaN: true }), { maxLength: 50 })

const SMALL = 2 ** -13

describe('fp16', () => {
  it('is within 2 ** -11 of a value, or within 2 ** -25 of a small one', () => {
    fc.assert(
      fc.property(numbers(65504), list => {
        for (const [i, back] of through(list, 'fp16').entries())
          expect(Math.abs(back - list[i]!)).toBeLessThanOrEqual(Math.max(Math.abs(list[i]!) * 2 ** -11, 2 ** -25))
      })
    )
  })

  it('rounds as the reference does, ties to even', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.float({ min: -65504, max: 65504 }), fc.float({ min: -SMALL, max: SMALL }))),
        list => {
          expect(through(list, 'fp16')).toEqual(list.map(x => fromHalf(toHalf(x))))
        }
      )
    )
    expect(through([1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 3 * 2 ** -25], 'fp16')).toEqual([
      1,
      1 + 2 ** -9,
      0,
      2 ** -23
    ])
  })

  it('holds what is too large at the largest half, and keeps infinities, NaN and the sign of zero', () => {
    const odd = [65519, 65520, 1e30, -1e30, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, -0]
    const back = [65504, 65504, 65504, -65504, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, -0]
    expect(through(odd, 'fp16')).toEqual(back)
  })

  it('takes half the bytes', () => expect(encodeTensor(tensor([1, 2, 3]), 'fp16').data.byteLength).toBe(6))
})

describe('int8', () => {
  it('is within half a scale of every value; zeros stay', () => {
    fc.assert(
      fc.property(fc.oneof(numbers(1e-3), numbers(100), numbers(3.4e38)), list => {
        const encoded = encodeTensor(tensor([...list, 0]), 'int8')
        if (encoded.type !== 'encoded') throw new Error('not encoded')
        const back = values(decodeTensor(encoded))
        expect(back.pop()).toBe(0)
        for (const [i, x] of back.entries())
          expect(Math.abs(x - list[i]!)).toBeLessThanOrEqual(
            encoded.scale * 0.5 * (1 + 1e-6) + Math.abs(x) * 2 ** -24 + 2 ** -149
          )
      })
    )
  })

  it('comes back the same when it is encoded once more', () => {
    const once = through([-3, -1.7, 0.2, 5, 11], 'int8')
    for (const [i, x] of through(once, 'int8').entries()) expect(x).toBeCloseTo(once[i]!, 6)
  })

  it('is not for tensors with NaN or infinities, nor for other types', () => {
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const with_ = tensor([1, odd, 2])
      expect(encodeTensor(with_, 'int8')).toBe(with_)
    }
    const whole: Tensor = { name: 'i', type: 'int32', dims: [1], data: new Uint8Array(4) }
    expect([encodeTensor(whole, 'int8'), encodeTensor(whole, 'fp16'), decodeTensor(whole)]).toEqual([
      whole,
      whole,
      whole
    ])
  })

  it('takes a quarter of the bytes, also of nothing and of zeros', () => {
    expect([[], [0, 0], [7, 7, 7]].map(list => encodeTensor(tensor(list), 'int8').data.byteLength)).toEqual([0, 2, 3])
    expect(through([0, 0], 'int8')).toEqual([0, 0])
    expect(through([7, 7, 7], 'int8')).toEqual([7, 7, 7])
  })
})
