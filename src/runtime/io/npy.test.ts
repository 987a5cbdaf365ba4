import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ELEMENT_TYPES, type ElementType, elementCount } from '../../core/tensor.ts'
import { encodeStrings } from '../engine/string-elements.ts'
import { decodeNpy, encodeNpy } from './npy.ts'

/** A file as NumPy writes it: `np.save` of version 1. */
const npy = (dictionary: string, data: Uint8Array | readonly number[], version = 1): Uint8Array => {
  const header = new TextEncoder().encode(`${dictionary}\n`)
  const length =
    version === 1 ? [header.length & 255, header.length >> 8] : [header.length & 255, header.length >> 8, 0, 0]
  return Uint8Array.from([0x93, ...new TextEncoder().encode('NUMPY'), version, 0, ...length, ...header, ...data])
}
const dict = (descr: string, shape: string, fortran = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`
const bytes = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer.slice(0) as ArrayBuffer)

test('what is written is read back, of every type and shape, and the data starts where it can be mapped', () => {
  const types = fc.constantFrom(...(Object.keys(ELEMENT_TYPES) as ElementType[]).filter(type => type !== 'string'))
  const shape = fc.array(fc.nat(4), { maxLength: 5 })
  fc.assert(
    fc.property(types, shape, fc.infiniteStream(fc.nat(255)), (type, dims, noise) => {
      const data = Uint8Array.from(noise.take(elementCount(dims) * ELEMENT_TYPES[type]))
      const file = encodeNpy({ type, dims, data })
      expect((file.byteLength - data.byteLength) % 64).toBe(0)
      expect(decodeNpy(file)).toEqual({ type, dims, data })
    })
  )
})

test('strings go through UTF-32', () => {
  const data = encodeStrings(['', 'äb', '文字😀'])
  const file = encodeNpy({ type: 'string', dims: [3], data })
  expect(new TextDecoder().decode(file.subarray(0, 128))).toContain("'<U3'")
  expect(decodeNpy(file)).toEqual({ type: 'string', dims: [3], data })
})

test('big-endian numbers are turned', () => {
  const { type, data } = decodeNpy(npy(dict('>i4', '(2,)'), [0, 0, 1, 2, 255, 255, 255, 254]))
  expect([type, ...new Int32Array(data.buffer)]).toEqual(['int32', 258, -2])
})

test('Fortran order becomes row-major', () => {
  // np.asfortranarray(np.arange(12, dtype='<i2').reshape(2, 3, 2)): first index fastest
  const columns = bytes(Int16Array.of(0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11))
  const { dims, data } = decodeNpy(npy(dict('<i2', '(2, 3, 2)', 'True'), columns))
  expect(dims).toEqual([2, 3, 2])
  expect([...new Int16Array(data.buffer)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
})

test('versions 2 and 3, scalars, and headers of Python 2 are read', () => {
  expect(decodeNpy(npy(dict('|u1', '()'), [7], 2))).toEqual({ type: 'uint8', dims: [], data: Uint8Array.of(7) })
  expect(decodeNpy(npy(dict('|b1', '(2L, 1L)'), [1, 0], 3)).dims).toEqual([2, 1])
})

test.each([
  ['is not one at all', new TextEncoder().encode('PNG and more of it'), /it is not a .npy file/],
  ['is empty', new Uint8Array(), /it is not a .npy file/],
  ['is cut off', npy(dict('<f4', '(4,)'), [0, 0, 0, 0]), /is 16 bytes and the file has 4/],
  ['has more than it says', npy(dict('|u1', '(1,)'), [0, 0]), /is 1 bytes and the file has 2/],
  ['claims more than there can be', npy(dict('<f8', '(99999999, 99999999, 99999999)'), []), /and the file has 0/],
  ['has a header that ends too late', npy(dict('|u1', '(1,)'), [0]).with(8, 255), /cut off or too long/],
  ['is of another version', npy(dict('|u1', '(1,)'), [0], 9), /version 9 is not known/],
  ['holds Python objects', npy(dict('|O', '(1,)'), [0]), /elements of type \|O cannot be read/],
  ['holds records', npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}", [0]), /does not name/],
  ['holds complex numbers', npy(dict('<c8', '(1,)'), new Uint8Array(8)), /<c8 cannot be read/],
  ['holds no Unicode', npy(dict('<U1', '(1,)'), [255, 255, 255, 255]), /string 0 is not Unicode/]
])('a file that %s is refused', (_, file, message) => {
  expect(() => decodeNpy(file)).toThrow(message)
  expect(() => decodeNpy(file)).toThrow(RangeError)
})

test('no bytes whatever make it do anything but answer or refuse', () => {
  const good = npy(dict('<f4', '(2, 2)'), new Uint8Array(16))
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, length) => {
      try {
        decodeNpy(good.with(at, value).subarray(0, length))
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    })
  )
})
