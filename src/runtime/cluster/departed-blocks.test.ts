import { expect, test } from 'vitest'
import { blockHash, deviceId, modelId } from '../../core/ids.ts'
import { JobGuard } from '../../core/job-guard.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { bytes, seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import type { BlobStore } from '../network/blob-store.ts'
import type { Engine } from '../ports/engine.ts'
import { BlockKeeper } from './block-keeper.ts'
import { ClusterView } from './cluster-view.ts'
import { LocalBlocks } from './local-blocks.ts'
import { SharedEngine } from './shared-engine.ts'

const A = deviceId('a')
const tensor = { name: 'x', type: 'float32' as const, shape: [1] }
const manifest = (id: string, hashes: readonly string[]): ModelManifest => ({
  ...{ id: modelId(id), name: 'net', sha256: '', inputs: [tensor], outputs: ['x'] },
  blocks: hashes.map(hash => ({ sha256: blockHash(hash), bytes: bytes(1), flops: 1, work: seconds(1) })),
  activations: [0, ...hashes].map(() => ({ bytes: bytes(4), tensors: [tensor] }))
})
/** The first block is the same in both. */
const OLD = manifest('old', ['shared', 'old'])
const NEW = manifest('new', ['shared', 'new'])
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

const open = () => {
  const clock = createManualClock()
  const loaded = new Set<string>()
  const disk = new Set(['shared', 'old', 'new'])
  const engine = {
    load: async (hash: string) => {
      loaded.add(hash)
      return { inputs: [tensor], outputs: [tensor] }
    },
    unload: async (hash: string) => void loaded.delete(hash),
    measure: async () => seconds(1)
  } as unknown as Engine
  const blobs = {
    find: async (hash: string) => (disk.has(hash) ? hash : undefined),
    remove: async (hash: string) => void disk.delete(hash)
  } as unknown as BlobStore
  const view = new ClusterView(A, 1)
  for (const each of [OLD, NEW]) view.addManifest(each)
  const used = new Set<string>()
  const blocks = new LocalBlocks(new SharedEngine(engine))
  const keeper = new BlockKeeper({
    ...{
      clock,
      guard: new JobGuard({ clock, say: () => {} }),
      view,
      blocks,
      blobs,
      memory: bytes(3),
      changed: () => {},
      say: () => {}
    },
    fetch: async hash => hash,
    inUse: (model, block) => used.has(`${view.world.models[model]!.id} ${block}`)
  })
  const pass = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) {
      await clock.advance(seconds(0.1))
      keeper.tick()
      await settled()
    }
  }
  const adopt = async (epoch: number, models: readonly ModelManifest[]): Promise<void> => {
    const carried = new Map(models.map(({ id }) => [id, [0, 1]] as const))
    const unplaced = [OLD, NEW].flatMap(({ id }) =>
      carried.has(id) ? [] : [0, 1].map(block => ({ model: id, block, because: '' }))
    )
    keeper.adopt({ epoch, planner: A, placement: new Map([[A, carried]]), unplaced })
    await pass()
  }
  const state = () => ({ loaded: [...loaded].sort(), disk: [...disk].sort() })
  return { view, keeper, blocks, used, adopt, pass, state }
}

test('a block that two models share counts once, and leaves with the second', async () => {
  const { adopt, state, blocks } = open()
  await adopt(1, [OLD, NEW])
  expect(state().loaded).toEqual(['new', 'old', 'shared'])
  expect(blocks.weight()).toBe(3)
  await adopt(2, [NEW])
  expect(state().loaded).toEqual(['new', 'shared'])
  expect(blocks.weight()).toBe(2)
  await adopt(3, [])
  expect(state().loaded).toEqual([])
})

test('what a model that has left had goes from memory and disk at once, but for what others share and what still runs', async () => {
  const { view, keeper, used, adopt, pass, state } = open()
  await adopt(1, [OLD, NEW])
  used.add('old 1')
  view.dismiss(OLD.id, seconds(1))
  keeper.modelsLeft()
  await pass()
  expect(state()).toEqual({ loaded: ['new', 'old', 'shared'], disk: ['new', 'old', 'shared'] })
  used.clear()
  await pass()
  expect(state()).toEqual({ loaded: ['new', 'shared'], disk: ['new', 'shared'] })
})

test('a placement of a planner that has not heard yet brings nothing of it back, and all that is there is ready', async () => {
  const { view, keeper, adopt, state } = open()
  view.dismiss(OLD.id, seconds(1))
  await adopt(1, [OLD, NEW])
  expect(state().loaded).toEqual(['new', 'shared'])
  expect(keeper.readyEpoch).toBe(1)
})
