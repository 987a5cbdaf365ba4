import { describe, expect, test } from 'vitest'
import { createRng } from '../core/rng.ts'
import { nodeRandom } from '../runtime/node-random.ts'
import { seededRandom } from './simulated/seeded-random.ts'

describe.each([
  ['of the machine', () => nodeRandom],
  ['of a seed', () => seededRandom(createRng('bytes'))]
])('chance %s', (_, open) => {
  test('gives as many bytes as are asked for, each time others, in buffers of their own', () => {
    const random = open()
    const drawn = [0, 1, 32, 32, 1000].map(count => random.bytes(count))
    expect(drawn.map(({ byteLength }) => byteLength)).toEqual([0, 1, 32, 32, 1000])
    expect(drawn.map(({ buffer }) => buffer.byteLength)).toEqual([0, 1, 32, 32, 1000])
    expect(drawn[2]).not.toEqual(drawn[3])
  })

  test('gives each byte about as often as any other', () => {
    const counts = new Array<number>(256).fill(0)
    for (const byte of open().bytes(256 * 400)) counts[byte]!++
    // Chi squared of 255 degrees of freedom: above 380 in fewer than one draw of a million.
    expect(counts.reduce((sum, count) => sum + (count - 400) ** 2 / 400, 0)).toBeLessThan(380)
  })
})

test('the same seed gives the same bytes, and another seed others', () => {
  const of = (seed: number) => seededRandom(createRng(seed)).bytes(16)
  expect(of(1)).toEqual(of(1))
  expect(of(1)).not.toEqual(of(2))
})
