import { afterEach, describe, expect, test } from 'vitest'
import { type BlockHash, blockHash } from '../core/ids.ts'
import type { Tensor } from '../core/tensor.ts'
import { seconds } from '../core/units.ts'
import { EmulatedEngine } from '../emulation/emulated-engine.ts'
import { LanesEngine } from '../runtime/cluster/lanes-engine.ts'
import { SharedEngine } from '../runtime/cluster/shared-engine.ts'
import { SplitEngine } from '../runtime/cluster/split-engine.ts'
import { createEngine } from '../runtime/engine/create-engine.ts'
import { ProviderEngine } from '../runtime/engine/providers/provider-engine.ts'
import { type Engine, EngineError } from '../runtime/ports/engine.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { EventClock } from './simulated/event-clock.ts'
import { createMemoryBlockStore } from './simulated/memory-block-store.ts'
import { MemoryEngine } from './simulated/memory-engine.ts'
import { ProcessClock } from './simulated/process-clock.ts'
import { runEvents } from './simulated/run-events.ts'
import { runToyBlock, tagOf, toyInput, toyModel } from './simulated/toy-model.ts'
import { tinyOnnxFile } from './tiny-onnx.ts'

/** An engine, and blocks that it can run. */
interface Opened extends AsyncDisposable {
  readonly engine: Engine
  /** Of one block. */
  readonly place: string
  /** Of something that is no block. */
  readonly junk: string
  readonly input: string
  readonly output: string
  /** Its inputs, new each time, and what it makes of them. */
  readonly given: () => Tensor[]
  readonly made: Uint8Array
  /** Inputs with which it fails. */
  readonly bad: () => Tensor[]
}

const table = (i: number): Tensor[] => [
  { name: 'i', type: 'int64', dims: [1], data: new Uint8Array(BigInt64Array.of(BigInt(i)).buffer) }
]

const onOnnxRuntime = async (wrap: (engine: Engine) => Engine = engine => engine): Promise<Opened> => {
  const engine = wrap(createEngine())
  const place = tinyOnnxFile({
    inputs: { i: ['int64', [1]] },
    outputs: { y: ['float32', [1]] },
    nodes: [{ opType: 'Gather', input: ['table', 'i'], output: ['y'] }],
    initializers: [{ name: 'table', dataType: 1, dims: [3n], floatData: [10, 20, 30] }]
  })
  return {
    ...{ engine, place, junk: import.meta.filename, input: 'i', output: 'y' },
    given: () => table(1),
    made: new Uint8Array(Float32Array.of(20).buffer),
    bad: () => table(7),
    [Symbol.asyncDispose]: () => engine.stop()
  }
}

/** Another that gets every block that is measured. */
const withProvider = (cpu: Engine): Engine =>
  new ProviderEngine({
    ...{ cpu, clock: systemClock, isAuto: true, say: () => {} },
    find: async () => ({
      ready: [{ name: 'other', engine: createEngine(), settings: { options: {}, limit: 0, evenIfSlower: true } }],
      absent: []
    })
  })

const withSplits = (): Engine =>
  new SplitEngine({
    splits: [
      { lanes: 1, threads: 2 },
      { lanes: 2, threads: 1 }
    ],
    open: ({ lanes, threads }) => new LanesEngine(Array.from({ length: lanes }, () => createEngine({ threads }))),
    say: () => {}
  })

const BAD = 13

const inMemory = async (wrap: (engine: Engine, clock: ProcessClock) => Engine = engine => engine): Promise<Opened> => {
  const world = new EventClock()
  const endEvents = runEvents(world)
  const clock = new ProcessClock(world)
  const blobs = createMemoryBlockStore(new Map([['junk', new TextEncoder().encode('no block')]]))
  const model = toyModel({ name: 'net', salt: 1, work: [0.01, 0.01], weights: [1, 1], length: 4, skips: false })
  const engine = wrap(
    new MemoryEngine({
      ...{ clock, speed: 1, bytesAt: place => blobs.bytesAt(place) },
      fault: (_, [x]) => (tagOf(x!) === BAD ? 'fails' : undefined)
    }),
    clock
  )
  const given = (datum = 3): Tensor[] => [toyInput(model, 0, datum)]
  return {
    ...{ engine, input: 'x0', output: 'x1', junk: 'memory:junk' },
    place: await blobs.put(model.manifest.blocks[0]!.sha256, [model.files[0]!]),
    given: () => given(),
    made: runToyBlock(model.blocks[0]!, given())[0]!.data,
    bad: () => given(BAD),
    [Symbol.asyncDispose]: async () => {
      await engine.stop()
      await endEvents()
    }
  }
}

const A = blockHash('a'.repeat(64))
const B = blockHash('b'.repeat(64))

let opened: Opened | undefined
afterEach(async () => {
  await opened?.[Symbol.asyncDispose]()
  opened = undefined
})

describe.each([
  ['on ONNX Runtime', () => onOnnxRuntime()],
  ['in memory', () => inMemory()],
  ['that is shared, on ONNX Runtime', () => onOnnxRuntime(below => new SharedEngine(below))],
  ['that is shared, in memory', () => inMemory(below => new SharedEngine(below))],
  ['of several execution providers, on ONNX Runtime', () => onOnnxRuntime(withProvider)],
  ['of two lanes on ONNX Runtime', () => onOnnxRuntime(below => new LanesEngine([below, createEngine()]))],
  ['that chooses its lanes, on ONNX Runtime', () => onOnnxRuntime(withSplits)],
  [
    'of an emulated device on ONNX Runtime',
    () => onOnnxRuntime(below => new EmulatedEngine(below, systemClock, { speed: 0.5 }))
  ],
  [
    'of an emulated device in memory',
    () => inMemory((below, clock) => new EmulatedEngine(below, clock, { speed: 0.5 }))
  ]
])('an engine %s', (_, open) => {
  const loaded = async (hash: BlockHash = A): Promise<Opened> => {
    opened = await open()
    await opened.engine.load(hash, opened.place)
    return opened
  }

  test('says what a block reads and makes, runs it, and hands the inputs back', async () => {
    opened = await open()
    const { engine, place, given, made, input, output } = opened
    const { inputs, outputs } = await engine.load(A, place)
    expect([inputs.map(({ name }) => name), outputs.map(({ name }) => name)]).toEqual([[input], [output]])
    expect(await engine.load(A, place)).toEqual({ inputs, outputs })
    const run = await engine.run(A, given())
    expect([run.outputs[0]!.name, new Uint8Array(run.outputs[0]!.data)]).toEqual([output, made])
    expect(run.inputs).toEqual(given())
    for (const { data } of [...run.inputs, ...run.outputs])
      expect([data.byteOffset, data.buffer.byteLength]).toEqual([0, data.byteLength])
  })

  test('leaves what is lent to whoever lent it, from anywhere in a larger buffer', async () => {
    const { engine, given, made } = await loaded()
    const [tensor] = given() as [Tensor]
    const larger = new Uint8Array(tensor.data.byteLength + 5)
    larger.set(tensor.data, 3)
    const data = larger.subarray(3, 3 + tensor.data.byteLength)
    const run = await engine.run(A, [{ ...tensor, data, isLent: true }])
    expect(new Uint8Array(run.outputs[0]!.data)).toEqual(made)
    expect(new Uint8Array(run.inputs[0]!.data)).toEqual(tensor.data)
    expect(data).toEqual(tensor.data)
  })

  test('runs one block at a time in each lane, in the order in which it is asked, and tells how long each took', async () => {
    const { engine, given, place } = await loaded()
    await engine.load(B, place)
    const runs = await Promise.all([A, B, A, B, A].map(hash => engine.run(hash, given())))
    for (const [i, { start, end, took, own, late }] of runs.entries()) {
      expect(end - start).toBeCloseTo(took, 6)
      expect(took).toBeGreaterThan(0)
      expect(own).toBeGreaterThanOrEqual(0)
      expect(own).toBeLessThanOrEqual(took + 1e-3)
      expect(late).toBeGreaterThanOrEqual(0)
      const { lanes = 1 } = engine
      const under = runs.filter(other => other.start <= start && other.end - 1e-6 > start)
      expect(under.length).toBeLessThanOrEqual(lanes)
      if (i > 0 && lanes === 1) expect(start).toBeGreaterThanOrEqual(runs[i - 1]!.end - 1e-6)
    }
  })

  test('tells what fails, and disturbs no other run', async () => {
    const { engine, given, bad, made } = await loaded()
    const results = await Promise.allSettled([engine.run(A, given()), engine.run(A, bad()), engine.run(A, given())])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(EngineError)
    const { value } = results[2] as PromiseFulfilledResult<Awaited<ReturnType<Engine['run']>>>
    expect(new Uint8Array(value.outputs[0]!.data)).toEqual(made)
  })

  test('runs nothing that is not loaded, and loads what was refused or unloaded another time', async () => {
    opened = await open()
    const { engine, given, place, junk } = opened
    await expect(engine.run(A, given())).rejects.toThrow(EngineError)
    await expect(engine.measure(A, [])).rejects.toThrow(EngineError)
    await expect(engine.load(A, junk)).rejects.toThrow(EngineError)
    await engine.load(A, place)
    await engine.run(A, given())
    await engine.unload(A)
    await engine.unload(A)
    await expect(engine.run(A, given())).rejects.toThrow(EngineError)
    await engine.load(A, place)
    await engine.run(A, given())
  })

  test('measures a block without being given data, and believes what is declared', async () => {
    const { engine, input, given, place } = await loaded()
    const [{ type, dims }] = given() as [Tensor]
    const shaped = [{ spec: { name: input, type, shape: dims }, dims }]
    const measured = await engine.measure(A, shaped)
    expect(measured).toBeGreaterThan(0)
    expect(measured).toBeLessThan(5)
    await engine.load(B, place, seconds(0.5))
    expect([0.5, 1]).toContain(await engine.measure(B, shaped)) // at its own speed, or at half of it
    expect(await engine.calibrate()).toBeGreaterThan(0)
  })

  test('finishes what is under way when it stops, takes nothing more, and stops once', async () => {
    const { engine, given, place } = await loaded()
    await engine.run(A, given())
    await Promise.all([engine.stop(), engine.stop()])
    await expect(engine.run(A, given())).rejects.toThrow(EngineError)
    await expect(engine.load(B, place)).rejects.toThrow(EngineError)
    await engine[Symbol.asyncDispose]()
  })
})

describe.each([
  ['on ONNX Runtime', () => onOnnxRuntime(below => new SharedEngine(below))],
  ['in memory', () => inMemory(below => new SharedEngine(below))]
])('an engine that is shared, %s', (_, open) => {
  test('keeps a block until each who loaded it has unloaded it', async () => {
    opened = await open()
    const { engine, place, given, made } = opened
    await engine.load(A, place)
    await engine.load(A, place)
    await engine.unload(A)
    expect((await engine.run(A, given())).outputs[0]!.data).toEqual(made)
    await engine.unload(A)
    await expect(engine.run(A, given())).rejects.toThrow(EngineError)
  })

  test('keeps a block that is being loaded while another unloads it', async () => {
    opened = await open()
    const { engine, place, given, made } = opened
    await engine.load(A, place)
    const second = engine.load(A, place)
    await engine.unload(A)
    await second
    expect((await engine.run(A, given())).outputs[0]!.data).toEqual(made)
  })

  test('does not count a load that was refused', async () => {
    opened = await open()
    const { engine, place, junk, given } = opened
    await expect(engine.load(A, junk)).rejects.toThrow(EngineError)
    await engine.load(A, place)
    await engine.unload(A)
    await expect(engine.run(A, given())).rejects.toThrow(EngineError)
  })
})
