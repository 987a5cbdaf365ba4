import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import { PEER_BUDGETS, PeerBudgets } from '../../cluster/peer-budgets.ts'
import { blockHash, deviceId, modelId } from '../../core/ids.ts'
import { JobGuard } from '../../core/job-guard.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { bytes, seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import type { BlobStore } from '../network/blob-store.ts'
import type { Engine } from '../ports/engine.ts'
import { BlockKeeper, type BlockKeeperParts } from './block-keeper.ts'
import { ClusterView } from './cluster-view.ts'
import { LocalBlocks } from './local-blocks.ts'

const [A, B] = ['a', 'b'].map(deviceId) as [ReturnType<typeof deviceId>, ReturnType<typeof deviceId>]
const net = modelId('net')
const tensor = { name: 'x', type: 'float32' as const, shape: [1] }
const manifest: ModelManifest = {
  id: net,
  name: 'net',
  sha256: '',
  blocks: [0, 1].map(k => ({ sha256: blockHash(`${k}`), bytes: bytes(1), flops: 1, work: seconds(1) })),
  activations: [0, 1, 2].map(() => ({ bytes: bytes(4), tensors: [tensor] })),
  inputs: [tensor],
  outputs: ['x']
}
/** Loads at once; nothing is run here. */
const engine = {
  load: async () => ({ inputs: [tensor], outputs: [tensor] }),
  unload: async () => {},
  measure: async () => seconds(1)
} as unknown as Engine
const blobs = { find: async () => 'file' } as unknown as BlobStore
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** Device a with room for one block of two; b carries block 0. */
const open = (others: Partial<BlockKeeperParts> = {}) => {
  const clock = createManualClock()
  const view = new ClusterView(A, 1)
  view.addManifest(manifest)
  view.joined(B)
  const models = [{ model: net, owner: false, blocks: [{ block: 0, seconds: 1 }] }]
  view.heard(B, create(DeviceStateSchema, { device: B, name: 'b', sequence: 1n, speed: 1, models }))
  const used = new Set<number>()
  const keeper = new BlockKeeper({
    clock,
    guard: new JobGuard({ clock, say: () => {} }),
    view,
    blocks: new LocalBlocks(engine),
    blobs,
    memory: bytes(1),
    fetch: async () => 'file',
    inUse: (_, block) => used.has(block),
    changed: () => {},
    say: () => {},
    ...others
  })
  const adopt = async (epoch: number, own: number | readonly number[], others = 0): Promise<void> => {
    const placement = new Map([
      [A, new Map([[net, [own].flat()]])],
      [B, new Map([[net, [others]]])]
    ])
    keeper.adopt({ epoch, planner: A, placement, unplaced: [] } satisfies NumberedPlacement)
    await settled()
  }
  /** Tenths of a second, each with a look at the blocks. */
  const pass = async (tenths: number): Promise<void> => {
    for (let i = 0; i < tenths; i++) {
      await clock.advance(seconds(0.1))
      keeper.tick()
      await settled()
    }
  }
  const carried = (): number[] => [0, 1].filter(k => view.world.carries(0, 0, k))
  return { adopt, pass, carried, used, keeper }
}

test('a block makes room for another one as soon as no task here needs it', async () => {
  const { adopt, pass, carried, used } = open()
  await adopt(1, 0)
  expect(carried()).toEqual([0])
  used.add(0)
  await adopt(2, 1)
  await pass(1)
  expect(carried()).toEqual([0])
  used.clear()
  await pass(2)
  expect(carried()).toEqual([1])
})

test('where tasks never end, the block is offered no longer after a moment, and goes when the last task has', async () => {
  const { adopt, pass, carried, used } = open()
  await adopt(1, 0)
  used.add(0)
  await adopt(2, 1)
  await pass(10)
  expect(carried()).toEqual([])
  used.clear()
  await pass(2)
  expect(carried()).toEqual([1])
})

test('a block that was about to go is offered again when a newer placement wants it', async () => {
  const { adopt, pass, carried, used } = open()
  await adopt(1, 0)
  used.add(0)
  await adopt(2, 1)
  await pass(10)
  expect(carried()).toEqual([])
  await adopt(3, 0)
  expect(carried()).toEqual([0])
})

test('of two that are to drop the same block, one keeps it for a while', async () => {
  const { adopt, pass, carried } = open()
  await adopt(1, 0)
  await adopt(2, 1, 1)
  await pass(40)
  expect(carried()).toEqual([0])
  await pass(20)
  expect(carried()).toEqual([1])
})

test('a fetch is given up at once when a newer placement does without the block', async () => {
  const onDisk = new Set<string>()
  const fetching = new Map<string, AbortSignal>()
  const said: string[] = []
  const { adopt, carried } = open({
    blobs: { find: async (hash: string) => (onDisk.has(hash) ? 'file' : undefined) } as unknown as BlobStore,
    fetch: (hash, _size, _holders, signal) =>
      new Promise((resolve, reject) => {
        fetching.set(hash, signal)
        if (hash === '1') {
          onDisk.add(hash)
          resolve('file')
        } else signal.addEventListener('abort', () => reject(signal.reason))
      }),
    say: text => said.push(text)
  })
  await adopt(1, 0)
  expect(fetching.get('0')?.aborted).toBe(false)
  await adopt(2, 0)
  expect(fetching.get('0')?.aborted).toBe(false)
  await adopt(3, 1)
  expect(fetching.get('0')?.aborted).toBe(true)
  expect(carried()).toEqual([1])
  expect(said).toEqual(['carries block 1 of net'])
})

test('a block that nobody can give holds up no other', async () => {
  const asked: string[] = []
  let isThere = false
  const { adopt, pass, carried } = open({
    memory: bytes(2),
    blobs: { find: async () => undefined } as unknown as BlobStore,
    fetch: async hash => {
      asked.push(hash)
      if (hash === '0' && !isThere) throw new Error('nobody has it')
      return 'file'
    }
  })
  await adopt(1, [0, 1])
  await pass(1)
  expect(carried()).toEqual([1])
  await pass(20)
  expect(asked.filter(hash => hash === '0').length).toBeLessThan(5) // a pause between two rounds
  isThere = true
  await pass(20)
  expect(carried()).toEqual([0, 1])
})

test('a block that does not load holds up no other; it is said once and tried ever more rarely', async () => {
  const said: string[] = []
  let tries = 0
  const picky = {
    ...engine,
    load: async (hash: string) => {
      if (hash === '0' && ++tries > 0) throw new Error('no memory for it')
      return { inputs: [tensor], outputs: [tensor] }
    }
  } as unknown as Engine
  const { adopt, pass, carried, keeper } = open({
    ...{ memory: bytes(2), blocks: new LocalBlocks(picky), say: text => said.push(text) }
  })
  await adopt(1, [0, 1])
  await pass(1)
  expect(carried()).toEqual([1])
  await pass(300)
  expect(tries).toBeLessThan(10)
  expect(said).toEqual(['carries block 1 of net'])
  expect(keeper.failures.troubles(seconds(0))[0]).toBe('cannot get and keep block 0 of net: no memory for it')
  await adopt(2, 1)
  expect(keeper.failures.because(net, 0)).toBeUndefined()
})

test('a model whose block did not end is dropped, loaded again after a minute, later after two, and then not any more', async () => {
  const said: string[] = []
  const { adopt, pass, carried, keeper } = open({ memory: bytes(2), say: text => said.push(text) })
  await adopt(1, [0, 1])
  await pass(2)
  expect(carried()).toEqual([0, 1])
  for (const tenths of [600, 1200]) {
    keeper.bar(net, 'block 1 has not ended after 10 s')
    keeper.bar(net, 'so has another task')
    await pass(tenths - 10)
    expect(carried()).toEqual([])
    expect([...keeper.barred().keys()]).toEqual([net])
    await pass(20)
    expect(carried()).toEqual([0, 1])
    expect(keeper.barred().size).toBe(0)
  }
  keeper.bar(net, 'block 1 has not ended after 10 s')
  await pass(20_000)
  expect(carried()).toEqual([])
  expect(said.filter(text => text.includes('set aside'))).toEqual([
    'model net is set aside here for 60 s: block 1 has not ended after 10 s',
    'model net is set aside here for 120 s: block 1 has not ended after 10 s',
    'model net is set aside here until this device is started anew: block 1 has not ended after 10 s'
  ])
})

test("a block that would be beyond its owner's share of the disk is not fetched, and that is said; another owner's is", async () => {
  const seal = (owner: typeof A) => ({ seal: { owner, signature: new Uint8Array() } })
  const said: string[] = []
  const fetched = new Set<string>()
  const disk = { kept: new Map([[blockHash('0'), bytes(70)]]), room: bytes(100) }
  const none = { find: async () => undefined, usage: async () => disk } as unknown as BlobStore
  const fetch: BlockKeeperParts['fetch'] = async hash => {
    fetched.add(hash)
    return 'file'
  }
  const bring = async (owner: typeof A, size: number): Promise<void> => {
    const clock = createManualClock()
    const view = new ClusterView(A, 1)
    const blocks = manifest.blocks.map(block => ({ ...block, fileBytes: bytes(size) }))
    view.addManifest({ ...manifest, ...seal(owner), blocks })
    const guard = new JobGuard({ clock, say: () => {} })
    const say = (text: string): void => void said.push(text)
    const parts = { clock, guard, view, fetch, say, inUse: () => false, changed: () => {}, blobs: none }
    const keeper = new BlockKeeper({ ...parts, blocks: new LocalBlocks(engine), memory: bytes(10) })
    keeper.adopt({ epoch: 1, planner: B, placement: new Map([[A, new Map([[net, [1]]])]]), unplaced: [] })
    for (let i = 0; i < 5; i++) await settled()
  }
  await bring(B, 6)
  expect([fetched.size, said]).toEqual([
    0,
    [
      'cannot get and keep block 1 of net: its owner has 70 B of blocks here and would have 6 B more; of one owner are at most 75 B, three quarters of what there is for blocks; tried again'
    ]
  ])
  await bring(B, 5)
  expect([...fetched]).toEqual(['1'])
  fetched.clear()
  await bring(A, 6)
  expect([...fetched]).toEqual(['1'])
})

test("blocks of another's model that nobody gives make as many lines as that one may have, those of its own each one", async () => {
  const count = async (owner: typeof A): Promise<number> => {
    const clock = createManualClock()
    const view = new ClusterView(A, 1)
    const blocks = Array.from({ length: 20 }, (_, k) => ({ ...manifest.blocks[0]!, sha256: blockHash(`${k}`) }))
    const activations = Array.from({ length: 21 }, () => manifest.activations[0]!)
    view.addManifest({ ...manifest, blocks, activations, seal: { owner, signature: new Uint8Array() } })
    const budgets = new PeerBudgets({ now: () => clock.now(), exceeded: () => {} })
    for (let spent = 0; spent < PEER_BUDGETS.lines.burst - 5; spent++) budgets.takes(B, 'lines')
    const said: string[] = []
    const say = (text: string): void => void said.push(text)
    const fetch = async (hash: string): Promise<string> => Promise.reject(new Error(`nobody has ${hash}`))
    const none = { find: async () => undefined } as unknown as BlobStore
    const parts = { clock, view, fetch, say, inUse: () => false, changed: () => {}, blobs: none, memory: bytes(100) }
    const mayHaveLine = (of: typeof A): boolean => budgets.takes(of, 'lines')
    const guard = new JobGuard({ clock, say: () => {} })
    const keeper = new BlockKeeper({ ...parts, guard, mayHaveLine, blocks: new LocalBlocks(engine) })
    const all = blocks.map((_, k) => k)
    keeper.adopt({ epoch: 1, planner: B, placement: new Map([[A, new Map([[net, all]])]]), unplaced: [] })
    for (let i = 0; i < 60; i++) await settled()
    return said.length
  }
  expect([await count(B), await count(A)]).toEqual([5, 20])
})
