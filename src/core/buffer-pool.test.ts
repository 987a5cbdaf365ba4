import { expect, test } from 'vitest'
import { BufferPool } from './buffer-pool.ts'

const KIB = 1024

test('a large buffer that nobody has any more is used again for one of its size', () => {
  const pool = new BufferPool()
  const first = pool.take(100 * KIB)
  pool.give(first)
  expect(pool.take(101 * KIB).buffer).not.toBe(first.buffer)
  expect(pool.take(100 * KIB).buffer).toBe(first.buffer)
  expect(pool.take(100 * KIB).buffer).not.toBe(first.buffer)
})

test('parts of others, and small ones, are not kept; nor more than 16 MiB', () => {
  const pool = new BufferPool()
  const part = new Uint8Array(200 * KIB).subarray(0, 100 * KIB)
  pool.give(part)
  expect(pool.take(100 * KIB).buffer).not.toBe(part.buffer)
  const all = Array.from({ length: 40 }, () => new Uint8Array(1024 * KIB))
  for (const one of all) pool.give(one)
  const known = new Set(all.map(({ buffer }) => buffer))
  const again = Array.from({ length: 40 }, () => pool.take(1024 * KIB)).filter(({ buffer }) => known.has(buffer))
  expect(again).toHaveLength(16)
  for (const one of all) pool.give(one)
  const other = new Uint8Array(10 * 1024 * KIB)
  pool.give(other)
  expect(pool.take(other.byteLength).buffer).toBe(other.buffer)
})
