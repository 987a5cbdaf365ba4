import { expect, test } from 'vitest'
import { blockHash } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { bytes, seconds } from '../../core/units.ts'
import { fromWire, manifestId, toWire } from './manifest-codec.ts'

const block = (letter: string) => ({
  sha256: blockHash(letter.repeat(64)),
  bytes: bytes(100),
  flops: 1,
  work: seconds(0.01)
})

test('what a block weighs in memory and what its file has are two numbers on the wire, where they differ', () => {
  const facts = {
    name: 'net',
    sha256: 'c'.repeat(64),
    blocks: [{ ...block('a'), fileBytes: bytes(40) }, block('b')],
    activations: Array.from({ length: 3 }, () => ({ bytes: bytes(4), tensors: [] })),
    inputs: [],
    outputs: []
  }
  const manifest: ModelManifest = { id: manifestId(facts), ...facts }
  expect(fromWire(toWire(manifest))).toEqual(manifest)
})

test('a block whose file is said to be larger than what it takes of memory is refused, and so is one larger than any', () => {
  for (const [weight, file] of [
    [100, 1e12],
    [1e12, 1]
  ] as const) {
    const facts = {
      ...{ name: 'net', sha256: 'c'.repeat(64), inputs: [], outputs: [] },
      blocks: [{ ...block('a'), bytes: bytes(weight), fileBytes: bytes(file) }],
      activations: Array.from({ length: 2 }, () => ({ bytes: bytes(4), tensors: [] }))
    }
    expect(() => fromWire(toWire({ id: manifestId(facts), ...facts }))).toThrow(/a block whose file is larger/)
  }
})

test('how many data a request may have travels with a model, and makes it another', () => {
  const facts = {
    ...{ name: 'net', sha256: 'c'.repeat(64), inputs: [], outputs: [], blocks: [block('a')] },
    activations: Array.from({ length: 2 }, () => ({ bytes: bytes(4), tensors: [] }))
  }
  const ids = [facts, { ...facts, mostData: 4 }, { ...facts, mostData: 8 }].map(manifestId)
  expect(new Set(ids).size).toBe(3)
  const manifest: ModelManifest = { id: ids[1]!, ...facts, mostData: 4 }
  expect(fromWire(toWire(manifest))).toEqual(manifest)
})
