import { expect, test } from 'vitest'
import { copyBytes } from './copy-bytes.ts'
import { sharedBuffer } from './shared-buffer.ts'

const numbered = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => i % 251)

test.each([0, 1, 4095, 4096, 600_001])(
  'copies %i bytes to their place, and nothing beside it, into shared memory and out of it',
  size => {
    const source = numbered(size)
    const shared = new Uint8Array(sharedBuffer(size + 30), 5, size + 20)
    shared.fill(255)
    copyBytes(source, shared, 10)
    expect(Buffer.compare(shared.slice(10, 10 + size), source)).toBe(0)
    expect([...shared.slice(0, 10), ...shared.slice(10 + size)].every(byte => byte === 255)).toBe(true)
    const back = new Uint8Array(size)
    copyBytes(shared.subarray(10, 10 + size), back)
    expect(Buffer.compare(back, source)).toBe(0)
  }
)

test('what does not fit is not copied in part', () => {
  const target = new Uint8Array(10_000)
  expect(() => copyBytes(numbered(9_000), target, 1_001)).toThrow(RangeError)
  expect(() => copyBytes(numbered(9), target, 9_995)).toThrow(RangeError)
  expect(target.every(byte => byte === 0)).toBe(true)
})
