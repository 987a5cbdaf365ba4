import { expect, test } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { seconds } from '../../core/units.ts'
import { memorySigner } from '../../testing/simulated/memory-signer.ts'
import { toyModel } from '../../testing/simulated/toy-model.ts'
import { fromWire, manifestId, toWire } from './manifest-codec.ts'
import { requireSeal, sealManifest } from './manifest-seal.ts'

const [OWNER, THIRD] = [deviceId('owner'), deviceId('third')]
const { manifest } = toyModel({ name: 'net', salt: 1, work: [1, 2], weights: [10, 20], length: 4, skips: true })
const sealed = await sealManifest(manifest, OWNER, memorySigner(OWNER))

/** As it comes to somebody else. */
const taken = async (passedOn: ModelManifest): Promise<void> =>
  requireSeal(fromWire(toWire(passedOn)), memorySigner(deviceId('self')))

test('what its owner signed is taken from whoever passes it on', async () => {
  await expect(taken(sealed)).resolves.toBeUndefined()
})

const [block, ...others] = manifest.blocks as [ModelManifest['blocks'][number], ...ModelManifest['blocks']]
const signedByThird = await sealManifest({ ...manifest, name: 'other' }, THIRD, memorySigner(THIRD))

test.each<[string, Partial<ModelManifest>]>([
  ['another name', { name: 'other' }],
  ['the digest of another file', { sha256: 'e'.repeat(64) }],
  ['another time of a block', { blocks: [{ ...block, work: seconds(1e9) }, ...others] }],
  ['the signature of somebody else', { seal: { ...sealed.seal!, signature: signedByThird.seal!.signature } }],
  ['the name of somebody else', { seal: { ...sealed.seal!, owner: THIRD } }],
  ['half a signature', { seal: { ...sealed.seal!, signature: sealed.seal!.signature.slice(9) } }]
])('with %s it is not', async (_, change) => {
  await expect(taken({ ...sealed, ...change })).rejects.toThrow(/the signature of .* is not valid/)
})

test('without a signature it is not', async () => {
  await expect(taken(manifest)).rejects.toThrow('its owner has not signed it')
})

test.each<[string, Partial<ModelManifest>]>([
  ['the size of a block', { blocks: [{ ...block, bytes: 11 as typeof block.bytes }, ...others] }],
  ['the size of a file', { blocks: [{ ...block, fileBytes: 7 as typeof block.bytes }, ...others] }],
  ['the blocks', { blocks: [...others, block] }],
  ['an input', { inputs: [{ ...manifest.inputs[0]!, shape: [1, 5] }] }],
  ['an output', { outputs: ['skip'] }],
  ['a declared output', { outputSpecs: [{ name: 'x2', type: 'int32', shape: [9] }] }],
  ['a label', { properties: { names: "{0: 'cat'}" } }],
  ['where it may run', { pinned: true }]
])('its id is of %s too', async (_, change) => {
  const other = { ...sealed, ...change }
  expect(manifestId(other)).not.toBe(manifest.id)
  expect(() => fromWire(toWire(other))).toThrow('its id is not that of its contents')
})

test('its id is not of what it is called, which file it was cut from, or what it took', () => {
  const blocks = manifest.blocks.map(one => ({ ...one, work: seconds(9), flops: 9 }))
  expect(manifestId({ ...manifest, name: 'other', sha256: 'e'.repeat(64), blocks } as ModelManifest)).toBe(manifest.id)
})
