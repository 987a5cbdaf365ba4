import { afterEach, expect, test } from 'vitest'
import { blockHash } from '../../core/ids.ts'
import type { LaneSplit } from '../../core/lane-split.ts'
import type { Tensor } from '../../core/tensor.ts'
import { EventClock } from '../../testing/simulated/event-clock.ts'
import { createMemoryBlockStore } from '../../testing/simulated/memory-block-store.ts'
import { MemoryEngine } from '../../testing/simulated/memory-engine.ts'
import { ProcessClock } from '../../testing/simulated/process-clock.ts'
import { runEvents } from '../../testing/simulated/run-events.ts'
import { runToyBlock, toyInput, toyModel } from '../../testing/simulated/toy-model.ts'
import { LanesEngine } from './lanes-engine.ts'
import { SplitEngine } from './split-engine.ts'

const WIDE: LaneSplit = { lanes: 1, threads: 2 }
const MANY: LaneSplit = { lanes: 2, threads: 1 }
const NARROW: LaneSplit = { lanes: 1, threads: 1 }
/** On two threads a block is 1.6 times as fast. */
const SPEEDS = new Map([
  [WIDE, 1.6],
  [MANY, 1],
  [NARROW, 1]
])

const A = blockHash('a'.repeat(64))
const B = blockHash('b'.repeat(64))

let end: (() => Promise<void>) | undefined
afterEach(async () => {
  await end?.()
  end = undefined
})

/** @param mayLoad what a lane of this split is asked before it loads anything */
const opened = async (mayLoad: (split: LaneSplit) => boolean = () => true) => {
  const world = new EventClock()
  const endEvents = runEvents(world)
  const clock = new ProcessClock(world)
  const blobs = createMemoryBlockStore(new Map())
  const model = toyModel({ name: 'net', salt: 1, work: [0.1, 0.2], weights: [1, 1], length: 4, skips: false })
  const places = await Promise.all(model.files.map((file, k) => blobs.put(model.manifest.blocks[k]!.sha256, [file])))
  const said: string[] = []
  /** How many copies of a block there are, by split, and at most together. */
  const loaded = new Map<LaneSplit, number>()
  let most = 0
  const lane = (split: LaneSplit): MemoryEngine => {
    let own = 0
    return new MemoryEngine({
      ...{ clock, speed: SPEEDS.get(split) ?? 1 },
      bytesAt: place => {
        if (!mayLoad(split)) throw new Error('no memory')
        return blobs.bytesAt(place)
      },
      weighs: weight => {
        loaded.set(split, (loaded.get(split) ?? 0) + weight - own)
        own = weight
        most = Math.max(
          most,
          [...loaded.values()].reduce((a, b) => a + b, 0)
        )
      }
    })
  }
  const engine = new SplitEngine({
    splits: [WIDE, MANY, NARROW],
    open: split => new LanesEngine(Array.from({ length: split.lanes }, () => lane(split))),
    say: text => said.push(text)
  })
  end = async () => {
    await engine.stop()
    await endEvents()
  }
  const given = (k: number, datum = 3): Tensor[] => [{ ...toyInput(model, 0, datum), name: `x${k}` }]
  const measure = async (hash: typeof A, k: number): Promise<number> => {
    await engine.load(hash, places[k]!)
    const [{ name, type, dims }] = given(k) as [Tensor]
    return engine.measure(hash, [{ spec: { name, type, shape: dims }, dims }])
  }
  /** Asked once, it waits whether more blocks come. */
  const settle = async (): Promise<void> => expect(await engine.adapt({ used: 1, mostLanes: 8 })).toBeUndefined()
  return { engine, said, given, measure, settle, model, copies: () => most, forget: () => (most = 0) }
}

test('begins with all threads in one lane, and has more lanes when that serves more', async () => {
  const { engine, said, measure, settle } = await opened()
  expect(await measure(A, 0)).toBeCloseTo(0.1 / 1.6, 9)
  expect(await measure(B, 1)).toBeCloseTo(0.2 / 1.6, 9)
  await settle()
  expect(said).toEqual([])
  expect(await engine.adapt({ used: 0.1, mostLanes: 8 })).toBeUndefined()
  expect(engine.split).toMatchObject(WIDE)
  const changes = await engine.adapt({ used: 1, mostLanes: 8 })
  expect([...changes!]).toEqual([
    [A, expect.closeTo(1.6, 6)],
    [B, expect.closeTo(1.6, 6)]
  ])
  expect(engine.split).toMatchObject(MANY)
  expect(engine.lanes).toBe(2)
  expect(await engine.adapt({ used: 1, mostLanes: 8 })).toBeUndefined()
  const back = await engine.adapt({ used: 0.05, mostLanes: 8 })
  expect(back?.get(A)).toBeCloseTo(1 / 1.6, 6)
  expect(engine.split).toMatchObject(WIDE)
  expect(said).toEqual([
    'runs blocks in 1 lane of 2 threads (10 % used; 1 lane of 2 threads: 188 ms alone, 5.33/s in all; 2 lanes of 1 thread: 300 ms alone, 6.67/s in all; 1 lane of 1 thread: 300 ms alone, 3.33/s in all)',
    expect.stringMatching(/^runs blocks in 2 lanes of 1 thread \(100 % used; /),
    expect.stringMatching(/^runs blocks in 1 lane of 2 threads \(5 % used; /)
  ])
})

test('what is under way while it changes ends where it began, and what comes then runs in both lanes', async () => {
  const { engine, given, measure, settle, model } = await opened()
  await measure(A, 0)
  await settle()
  await engine.adapt({ used: 0, mostLanes: 8 })
  const before = engine.run(A, given(0))
  await engine.adapt({ used: 1, mostLanes: 8 })
  const runs = await Promise.all([before, engine.run(A, given(0)), engine.run(A, given(0))])
  expect(runs.map(({ took }) => took)).toEqual([0.1 / 1.6, 0.1, 0.1].map(time => expect.closeTo(time, 6)))
  expect(runs[1]!.start).toBeCloseTo(runs[2]!.start, 6)
  const made = runToyBlock(model.blocks[0]!, given(0))[0]!.data
  for (const { outputs } of runs) expect(outputs[0]!.data).toEqual(made)
})

test('where there is no room for both, blocks are let go first, and data wait for them', async () => {
  const { engine, given, measure, settle, copies, forget } = await opened()
  await measure(A, 0)
  await settle()
  await engine.adapt({ used: 0, mostLanes: 2 })
  forget()
  const under = engine.run(A, given(0))
  const changing = engine.adapt({ used: 1, mostLanes: 2 })
  const waiting = engine.run(A, given(0))
  expect((await changing)?.size).toBe(1)
  await Promise.all([under, waiting])
  expect(engine.lanes).toBe(2)
  expect(copies()).toBeLessThanOrEqual(2)
})

test('says what runs once it does: who asks during a change is told what there still is', async () => {
  const told: unknown[] = []
  let ask = (): void => {}
  const { engine, said, measure, settle } = await opened(() => {
    ask()
    return true
  })
  await measure(A, 0)
  await settle()
  await engine.adapt({ used: 0.1, mostLanes: 8 })
  ask = () => told.push([engine.lanes, engine.split.because.split(';')[0], said.length])
  await engine.adapt({ used: 1, mostLanes: 8 })
  expect(told.length).toBeGreaterThan(0)
  for (const each of told) expect(each).toEqual([1, '10 % used', 1])
  expect([engine.lanes, engine.split.because.split(';')[0], said.length]).toEqual([2, '100 % used', 2])
})

test('one copy too many is never chosen', async () => {
  const { engine, said, measure, settle } = await opened()
  await measure(A, 0)
  await settle()
  expect(await engine.adapt({ used: 1, mostLanes: 1 })).toBeUndefined()
  expect(said[0]).toContain('100 % used, memory for 1; ')
})

test('a split that does not load is left alone, and what there was goes on', async () => {
  let isFull = false
  const { engine, said, given, measure, settle } = await opened(split => !(isFull && split === MANY))
  await measure(A, 0)
  await settle()
  isFull = true
  for (const mostLanes of [8, 2]) expect(await engine.adapt({ used: 1, mostLanes })).toBeUndefined()
  expect(said).toContainEqual(expect.stringMatching(/^cannot run blocks in 2 lanes of 1 thread: /))
  expect(said.filter(text => text.startsWith('cannot'))).toHaveLength(1)
  expect((await engine.run(A, given(0))).took).toBeCloseTo(0.1 / 1.6, 6)
})

test('nothing is chosen by blocks whose time is declared', async () => {
  const { engine, said, measure } = await opened()
  await engine.load(A, 'memory:nothing').catch(() => {})
  expect(await engine.adapt({ used: 1, mostLanes: 8 })).toBeUndefined()
  expect(said).toEqual([])
  expect(await measure(A, 0)).toBeCloseTo(0.1 / 1.6, 9)
})

test('one that stops while it changes leaves nothing running', async () => {
  const { engine, given, measure, settle } = await opened()
  await measure(A, 0)
  await settle()
  const changing = engine.adapt({ used: 1, mostLanes: 8 })
  await Promise.all([engine.stop(), changing])
  await expect(engine.run(A, given(0))).rejects.toThrow('the engine was stopped')
})
