import { afterEach, expect, test } from 'vitest'
import { Halt } from '../../../core/halt.ts'
import { blockHash } from '../../../core/ids.ts'
import type { Tensor } from '../../../core/tensor.ts'
import { seconds } from '../../../core/units.ts'
import { tinyOnnxFile } from '../../../testing/tiny-onnx.ts'
import { type BlockRun, type Engine, EngineError, StuckError } from '../../ports/engine.ts'
import { systemClock } from '../../system-clock.ts'
import { createEngine } from '../create-engine.ts'
import { ProviderEngine, type Providers } from './provider-engine.ts'
import { DEFAULT_SETTINGS, type ProviderSettings } from './provider-settings.ts'

const A = blockHash('a'.repeat(64))
const B = blockHash('b'.repeat(64))
const C = blockHash('c'.repeat(64))

const engines: Engine[] = []
afterEach(async () => {
  await Promise.all(engines.splice(0).map(engine => engine.stop()))
})

/** y = table[i], so an index past the end is the fault of whoever made it. */
const gather = tinyOnnxFile({
  inputs: { i: ['int64', [1]] },
  outputs: { y: ['float32', [1]] },
  nodes: [{ opType: 'Gather', input: ['table', 'i'], output: ['y'] }],
  initializers: [{ name: 'table', dataType: 1, dims: [3n], floatData: [10, 20, 30] }]
})
const twice = (x: string, y: string): string =>
  tinyOnnxFile({
    inputs: { [x]: ['float32', [1]] },
    outputs: { [y]: ['float32', [1]] },
    nodes: [{ opType: 'Add', input: [x, x], output: [y] }]
  })
const index = (i: number): Tensor[] => [
  { name: 'i', type: 'int64', dims: [1], data: new Uint8Array(BigInt64Array.of(BigInt(i)).buffer) }
]
const shaped = [{ spec: { name: 'i', type: 'int64' as const, shape: [1] }, dims: [1] }]
const float = (name: string): typeof shaped => [{ spec: { name, type: 'float32' as never, shape: [1] }, dims: [1] }]
const numberIn = ({ data }: Tensor): number => new Float32Array(data.slice().buffer)[0]!

/** ONNX Runtime, as an accelerator might be: what becomes of each of its runs, counted from 1. */
const accelerator = (change: (run: BlockRun, count: number) => BlockRun): Engine => {
  const below = createEngine()
  let count = 0
  const run: Engine['run'] = async (...args) => change(await below.run(...args), ++count)
  const visit: Engine['visit'] = async (...args) => {
    const visited = await below.visit!(...args)
    const { outputs } = visited
    const changed = visited.runs.map(times => change({ ...times, outputs, inputs: [] }, ++count))
    return { ...visited, outputs: changed.at(-1)!.outputs }
  }
  return Object.assign(Object.create(below) as Engine, {
    ...{ run, visit, load: below.load.bind(below), unload: below.unload.bind(below) },
    ...{ stop: () => below.stop(), measure: below.measure.bind(below) }
  })
}

const fast = (run: BlockRun): BlockRun => ({ ...run, took: seconds(run.took / 1e3) })
const off = (by: number) => (run: BlockRun) => ({
  ...fast(run),
  outputs: run.outputs.map(output => ({
    ...output,
    data: new Uint8Array(Float32Array.from([numberIn(output) * (1 + by)]).buffer)
  }))
})

const opened = (
  ready: Readonly<Record<string, Engine>>,
  { absent = [], ...settings }: Partial<ProviderSettings> & Partial<Pick<Providers, 'absent'>> = {},
  cpu = createEngine()
) => {
  const said: string[] = []
  const own = { ...DEFAULT_SETTINGS, ...settings }
  const engine = new ProviderEngine({
    ...{ cpu, clock: systemClock, isAuto: false, say: text => said.push(text) },
    find: async () => ({
      ready: Object.entries(ready).map(([name, one]) => ({ name, engine: one, settings: own })),
      absent
    })
  })
  engines.push(engine)
  return { engine, said }
}

const measured = async (...args: Parameters<typeof opened>) => {
  const { engine, said } = opened(...args)
  await engine.load(A, gather)
  const time = await engine.measure(A, shaped)
  return { engine, said, time }
}

test('gives a block to the fastest, and says how each did', async () => {
  const faster = accelerator(run => ({ ...run, took: seconds(run.took / 1e4) }))
  const { engine, time } = await measured({ cuda: accelerator(fast), tensorrt: faster })
  expect(engine.providerOf(A)?.provider).toBe('tensorrt')
  expect(engine.trials(A).map(({ provider, isChosen, because }) => [provider, isChosen, because])).toEqual([
    ['cpu', false, 'what the others are compared with'],
    ['cuda', false, 'tensorrt is faster'],
    ['tensorrt', true, 'it is the best']
  ])
  expect(time).toBe(engine.trials(A)[2]!.time)
  const run = await engine.run(A, index(2))
  expect([numberIn(run.outputs[0]!), run.inputs]).toEqual([30, index(2)])
})

test('keeps cpu where another is no faster, unless it is asked for all the same', async () => {
  const slow = (): Engine => accelerator(run => ({ ...run, took: seconds(run.took * 10) }))
  const { engine, said } = await measured({ webgpu: slow() })
  expect(engine.providerOf(A)).toEqual({
    provider: 'cpu',
    because: 'cpu: nothing else is better; webgpu: it is not faster than cpu beyond noise'
  })
  expect(said).toEqual([])
  const { engine: busy } = await measured({ webgpu: slow() }, { evenIfSlower: true })
  expect(busy.providerOf(A)?.provider).toBe('webgpu')
})

test('keeps cpu where the outputs of another differ too much', async () => {
  const { engine } = await measured({ cuda: accelerator(off(0.01)) })
  expect(engine.providerOf(A)?.because).toContain('cuda: its outputs differ by 1.0e-2, the limit is 0.001')
  const { engine: coarse } = await measured({ cuda: accelerator(off(0.01)) }, { limit: 0.02 })
  expect(coarse.providerOf(A)?.provider).toBe('cuda')
})

test('keeps cpu where another does not run a block, and says once what is not there', async () => {
  const broken = accelerator(() => {
    throw new EngineError('no kernel')
  })
  const { engine, said } = await measured({ cuda: broken }, { absent: [{ name: 'webgpu', because: 'no adapter' }] })
  expect(engine.providerOf(A)?.because).toBe(
    'cpu: nothing else is better; webgpu: no adapter; cuda: it does not run it: no kernel'
  )
  await engine.load(B, twice('y', 'z'))
  await engine.measure(B, float('y'))
  expect(said).toEqual(['provider webgpu is not there: no adapter; blocks run on cpu'])
})

/** Runs of a trial of a block that takes microseconds. */
const TRIAL = 10

test('loses no datum when a provider fails in mid-run: the block goes on with cpu, which is said once', async () => {
  const dying = accelerator((run, count) => {
    if (count > TRIAL + 3) throw new EngineError('device lost')
    return fast(run)
  })
  const { engine, said } = await measured({ cuda: dying })
  const ran = await Promise.all(Array.from({ length: 9 }, (_, i) => engine.run(A, index(i % 3))))
  expect(ran.map(({ outputs }) => numberIn(outputs[0]!))).toEqual([10, 20, 30, 10, 20, 30, 10, 20, 30])
  expect(ran.map(({ inputs }) => inputs)).toEqual(Array.from({ length: 9 }, (_, i) => index(i % 3)))
  expect(said).toEqual(['provider cuda failed: device lost; the block goes on with cpu'])
  expect(engine.providerOf(A)).toEqual({ provider: 'cpu', because: 'cuda failed: device lost' })
})

test('does not blame a provider for data that cpu refuses too', async () => {
  const { engine, said } = await measured({ cuda: accelerator(fast) })
  await expect(engine.run(A, index(7))).rejects.toThrow(/indices element out of data bounds/)
  expect(numberIn((await engine.run(A, index(1))).outputs[0]!)).toBe(20)
  expect([engine.providerOf(A)?.provider, said]).toEqual(['cuda', []])
})

test('gives no block to a provider that hangs, also none that it has', async () => {
  let hangs = false
  const hanging = accelerator(run => {
    if (hangs) throw new StuckError('it has not ended after 10 s')
    return fast(run)
  })
  const { engine, said } = await measured({ cuda: hanging })
  await engine.load(B, twice('y', 'z'))
  await engine.measure(B, float('y'))
  hangs = true
  expect(numberIn((await engine.run(A, index(1))).outputs[0]!)).toBe(20)
  const y: Tensor = { name: 'y', type: 'float32', dims: [1], data: new Uint8Array(Float32Array.of(4).buffer) }
  expect(numberIn((await engine.run(B, [y])).outputs[0]!)).toBe(8)
  expect(said).toEqual([
    'provider cuda failed: it has not ended after 10 s; the block goes on with cpu',
    'provider cuda failed: it did not come to an end before; the block goes on with cpu'
  ])
})

test('visits as many blocks as run on one provider, and goes on where one fails there', async () => {
  let fails = false
  const cuda = accelerator(run => {
    if (fails) throw new EngineError('device lost')
    return fast(run)
  })
  const { engine } = await measured({ cuda })
  await engine.load(B, twice('y', 'z'))
  await engine.measure(B, float('y'))
  await engine.load(C, twice('z', 'end')) // not measured: on cpu
  const block = (hash: typeof A, alive: string) => ({ hash, expected: seconds(0), alive: [alive] })
  const blocks = [block(A, 'y'), block(B, 'z'), block(C, 'end')]
  const both = await engine.visit!(blocks, index(2), new Halt())
  expect([both.runs.length, both.outputs.map(numberIn), both.inputs]).toEqual([2, [60], index(2)])
  const last = await engine.visit!(blocks.slice(2), both.outputs, new Halt())
  expect([last.runs.length, last.outputs.map(numberIn)]).toEqual([1, [120]])
  fails = true
  const first = await engine.visit!(blocks, index(2), new Halt())
  expect([first.runs.length, first.outputs.map(numberIn), first.inputs]).toEqual([1, [30], index(2)])
  const second = await engine.visit!(blocks.slice(1), first.outputs, new Halt())
  expect([second.runs.length, second.outputs.map(numberIn)]).toEqual([1, [60]])
  const whole = await engine.visit!(blocks, index(2), new Halt())
  expect([whole.runs.length, whole.outputs.map(numberIn)]).toEqual([3, [120]])
})

test('measures for the reference on cpu, whatever a block runs on', async () => {
  const { engine, time } = await measured({ cuda: accelerator(fast) })
  expect(await engine.measure(A, shaped)).toBe(time)
  expect(await engine.measure(A, shaped, true)).toBeGreaterThan(time)
})

/** Of any number of rows. */
const doubled = tinyOnnxFile({
  inputs: { x: ['float32', ['n', 1]] },
  outputs: { y: ['float32', ['n', 1]] },
  nodes: [{ opType: 'Add', input: ['x', 'x'], output: ['y'] }]
})
const rows = (count: number) => [{ spec: { name: 'x', type: 'float32' as const, shape: [null, 1] }, dims: [count, 1] }]
const row = (x: number): Tensor[] => [
  { name: 'x', type: 'float32', dims: [1, 1], data: new Uint8Array(Float32Array.of(x).buffer) }
]

test('what stays on cpu runs together there, and is timed so without another choice', async () => {
  const { engine } = opened({ cuda: accelerator(off(0.01)) })
  await engine.load(A, doubled)
  await engine.measure(A, rows(1))
  const trials = engine.trials(A)
  expect(await engine.measure(A, rows(4), false, true)).toBeGreaterThan(0)
  expect(engine.trials(A)).toBe(trials)
  const { outputs, inputs } = await engine.runTogether!(A, [row(1), row(2), row(3)])
  expect(outputs.map(([y]) => numberIn(y!))).toEqual([2, 4, 6])
  expect(inputs.map(([x]) => numberIn(x!))).toEqual([1, 2, 3])
})

test('what runs elsewhere does so one by one, and on cpu where that fails', async () => {
  let fails = false
  const cuda = accelerator(run => {
    if (fails) throw new EngineError('device lost')
    return fast(run)
  })
  const { engine } = opened({ cuda })
  await engine.load(A, doubled)
  await engine.measure(A, rows(1))
  expect(engine.providerOf(A)?.provider).toBe('cuda')
  const together = async () => (await engine.runTogether!(A, [row(1), row(2)])).outputs.map(([y]) => numberIn(y!))
  expect(await together()).toEqual([2, 4])
  fails = true
  expect(await together()).toEqual([2, 4])
  expect(engine.providerOf(A)?.provider).toBe('cpu')
})

test('a block whose provider has failed may take as long on cpu as it took there in its trial', async () => {
  let fails = false
  const cuda = accelerator(run => {
    if (fails) throw new EngineError('device lost')
    return fast(run)
  })
  const below = createEngine()
  const expected: (number | undefined)[] = []
  const run: Engine['run'] = (...args) => {
    expected.push(args[3])
    return below.run(...args)
  }
  const cpu = Object.assign(Object.create(below) as Engine, {
    ...{ run, load: below.load.bind(below), unload: below.unload.bind(below) },
    ...{ stop: () => below.stop(), measure: below.measure.bind(below) }
  })
  const { engine } = opened({ cuda }, {}, cpu)
  await engine.load(A, gather)
  const time = await engine.measure(A, shaped)
  const onCpu = engine.trials(A)[0]!.time!
  expect(onCpu).toBeGreaterThan(time)
  fails = true
  expected.length = 0
  await engine.run(A, index(1), undefined, time)
  await engine.run(A, index(1), undefined, time)
  await engine.run(A, index(1), undefined, seconds(9))
  expect(expected).toEqual([onCpu, onCpu, 9])
})
