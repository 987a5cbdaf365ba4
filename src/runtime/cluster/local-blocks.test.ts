import { expect, test } from 'vitest'
import { blockHash, modelId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { bytes, type Seconds, seconds } from '../../core/units.ts'
import type { Engine } from '../ports/engine.ts'
import { LocalBlocks } from './local-blocks.ts'

const tensor = { name: 'x', type: 'int32' as const, shape: [1, 4] }
const manifest: ModelManifest = {
  ...{ id: modelId('f'.repeat(64)), name: 'net', sha256: '', inputs: [tensor], outputs: ['x'] },
  blocks: [{ sha256: blockHash('0'.repeat(64)), bytes: bytes(1), flops: 1, work: seconds(1), batches: true }],
  activations: [0, 1].map(() => ({ bytes: bytes(16), tensors: [tensor] }))
}

/** One block, of which one takes so long; each one more half of that. */
const open = (time: Seconds, provider?: string) => {
  const measured: number[] = []
  const engine = {
    load: async () => ({ inputs: [tensor], outputs: [tensor] }),
    unload: async () => {},
    ...(provider === undefined ? {} : { providerOf: () => ({ provider, because: '' }) }),
    runTogether: async () => {
      throw new Error('nothing is run here')
    },
    measure: async (_: string, [{ dims }]: readonly [{ dims: readonly [number] }]) => {
      measured.push(dims[0])
      return seconds(time * (0.5 + 0.5 * dims[0]))
    }
  } as unknown as Engine
  return { blocks: new LocalBlocks(engine), measured }
}

test('batches of short blocks are timed when they are loaded', async () => {
  const { blocks, measured } = open(seconds(0.01))
  const { curve } = await blocks.load(manifest, 0, 'file')
  expect(measured).toEqual([1, 1, 2, 1, 4, 1, 8])
  expect([curve?.best, blocks.isUntimed]).toEqual([8, false])
})

test('of long ones later, while nothing else is to be done', async () => {
  const { blocks, measured } = open(seconds(0.2))
  const { curve } = await blocks.load(manifest, 0, 'file')
  expect([curve, blocks.isUntimed]).toEqual([undefined, true])
  expect(measured.splice(0)).toEqual([1])

  expect(await blocks.timeNext(() => measured.length < 3)).toBeUndefined()
  expect(blocks.isUntimed).toBe(true)
  expect(measured.splice(0)).toEqual([1, 2, 1])

  const found = await blocks.timeNext(() => true)
  expect(found).toMatchObject({ model: manifest.id, block: 0 })
  expect(found?.curve?.best).toBe(8)
  expect(measured).toEqual([1, 2, 1, 4, 1, 8])
  expect(blocks.held().get(manifest.id)?.get(0)?.curve).toBe(found?.curve)
  expect(blocks.isUntimed).toBe(false)
})

test('of one that is unloaded before, never', async () => {
  const { blocks } = open(seconds(0.2))
  await blocks.load(manifest, 0, 'file')
  await blocks.unload(manifest, 0)
  expect([blocks.isUntimed, await blocks.timeNext(() => true)]).toEqual([false, undefined])
})

test('of those that cpu runs alone, where there are others', async () => {
  const onCpu = open(seconds(0.01), 'cpu')
  expect((await onCpu.blocks.load(manifest, 0, 'file')).curve?.best).toBe(8)
  const other = open(seconds(0.01), 'webgpu')
  expect((await other.blocks.load(manifest, 0, 'file')).curve).toBeUndefined()
  expect(other.measured).toEqual([1])
})
