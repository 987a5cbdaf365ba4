import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromBinary } from '@bufbuild/protobuf'
import { ModelProtoSchema } from 'onnx-buf'
import { expect, test } from 'vitest'
import { compareOutputs } from '../core/compare-outputs.ts'
import { madeUpTensor } from '../core/made-up-tensor.ts'
import { createRng } from '../core/rng.ts'
import { describeNoneStored, type WeightChoice } from '../core/weight-choice.ts'
import { openModel } from '../runtime/onnx/open-model.ts'
import { plan } from '../studies/plan-object.ts'
import { tinyOnnx, tinyOnnxFile } from '../testing/tiny-onnx.ts'
import { studyModel } from './files/study-model.ts'
import { weightCosts } from './files/weight-costs.ts'
import { writeBlocks } from './files/write-blocks.ts'
import { smallWeights } from './small-weights.ts'

const WIDE = 64
const rng = createRng('small weights')
const weight = (name: string, largest = 1) => ({
  ...{ name, dataType: 1, dims: [BigInt(WIDE), BigInt(WIDE)] },
  floatData: Array.from({ length: WIDE * WIDE }, () => (rng.next() - 0.5) * largest)
})
const bias = { name: 'bias', dataType: 1, dims: [BigInt(WIDE)], floatData: Array.from({ length: WIDE }, () => 0.1) }
/** Products, one after the other, of weights of its own each. */
const DEEP = 4
const products = (from: string, to: string) =>
  Array.from({ length: DEEP }, (_, i) => ({
    opType: 'MatMul',
    input: [i === 0 ? from : `${to}${i}`, `${to}/w${i}`],
    output: [i === DEEP - 1 ? to : `${to}${i + 1}`]
  }))
const weights = (to: string) => Array.from({ length: DEEP }, (_, i) => weight(`${to}/w${i}`, 1 + i))
const folder = mkdtempSync(join(tmpdir(), 'tributary-small-'))
const file = join(folder, 'two.onnx')
writeFileSync(
  file,
  tinyOnnx({
    inputs: { x: ['float32', [1, WIDE]] },
    outputs: { y: ['float32', [1, WIDE]] },
    nodes: [
      ...products('x', 'a'),
      { opType: 'Relu', input: ['a'], output: ['b'] },
      ...products('b', 'c'),
      { opType: 'Add', input: ['c', 'bias'], output: ['y'] }
    ],
    initializers: [...weights('a'), ...weights('c'), bias]
  })
)
const studied = await studyModel(file, new Map(), openModel)
const half = studied.cutPoints.findIndex(({ tensors }) => tensors.join() === 'b')
const input = [madeUpTensor('x', 'float32', [1, WIDE], rng)]

const written = async (name: string, weights?: WeightChoice) => {
  const fileOf = (index: number): string => join(folder, `${name}-${index}.onnx`)
  const put = async (index: number, chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    const pieces: Uint8Array[] = []
    for await (const chunk of chunks) pieces.push(chunk)
    writeFileSync(fileOf(index), Buffer.concat(pieces))
  }
  const blocks = await writeBlocks(studied, [half], put, undefined, weights)
  return { blocks, files: blocks.map((_, i) => fileOf(i)), hashes: blocks.map(({ sha256 }) => sha256) }
}

test('stores large weights in fewer bits, and computes what it did but for their rounding', async () => {
  const plain = await written('plain')
  const halves = await written('fp16', { format: 'fp16' })
  const eighths = await written('int8', { format: 'int8' })
  for (const [k, { bytes }] of plain.blocks.entries()) {
    expect(halves.blocks[k]!.bytes / bytes).toBeLessThan(0.55)
    expect(eighths.blocks[k]!.bytes / bytes).toBeLessThan(0.35)
  }
  const costOf = ({ files: small }: typeof plain) =>
    weightCosts(studied, [half], { plain: plain.files, small }, openModel, [input])
  for (const cost of await costOf(halves)) {
    expect(cost).toBeGreaterThan(0)
    expect(cost).toBeLessThan(3e-3)
  }
  for (const cost of await costOf(eighths)) {
    expect(cost).toBeGreaterThan(1e-4)
    expect(cost).toBeLessThan(5e-2)
  }
  expect(await costOf(plain)).toEqual([0, 0])
})

test('of some blocks alone, the same bytes each time; other blocks stay what they are', async () => {
  const plain = await written('all')
  const some = await written('some', { format: 'int8', blocks: [1] })
  const again = await written('again', { format: 'int8', blocks: [1] })
  expect(some.hashes[0]).toBe(plain.hashes[0])
  expect(some.hashes[1]).not.toBe(plain.hashes[1])
  expect(again.hashes).toEqual(some.hashes)
  expect(some.blocks.map(({ weights }) => weights)).toEqual([undefined, 'int8'])
})

test('of a block that there is not it is refused', async () => {
  const asked = written('beyond', { format: 'int8', blocks: [1, 2] })
  await expect(asked).rejects.toThrow('weights int8@1,2: there is no block 2, the last is 1')
})

test('where nothing is stored otherwise nothing says so', async () => {
  const model = await studyModel(
    tinyOnnxFile({
      inputs: { x: ['float32', [1, WIDE]] },
      outputs: { y: ['float32', [1, WIDE]] },
      nodes: [{ opType: 'Add', input: ['x', 'bias'], output: ['y'] }],
      initializers: [bias]
    }),
    new Map(),
    openModel
  )
  const drain = async (_: number, chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const _chunk of chunks);
  }
  const [plain] = await writeBlocks(model, [], drain)
  const [asked] = await writeBlocks(model, [], drain, undefined, { format: 'fp16' })
  expect(asked).toEqual(plain)
  expect(describeNoneStored({ format: 'fp16' })).toContain('no weight could be stored as fp16')
})

test.each([
  ['LSTM', '', ['x', 'w'], 1],
  ['Attention', 'com.microsoft', ['x', 'w'], 2],
  ['ConvTranspose', '', ['x', 'w'], 1],
  ['MatMul', '', ['x', 'w'], 2]
])('in one byte, the weights of %s have a scale for each output channel', (opType, domain, input, axis) => {
  const dims = [2, 32, 64]
  const floats = Array.from({ length: 2 * 32 * 64 }, () => rng.next() - 0.5)
  const model = fromBinary(
    ModelProtoSchema,
    tinyOnnx({
      inputs: { x: ['float32', [1, 32]] },
      outputs: { y: ['float32', [1, 32]] },
      nodes: [{ opType, domain, input, output: ['y'] }],
      initializers: [{ name: 'w', dataType: 1, dims: dims.map(BigInt), floatData: floats }]
    })
  )
  const scales = smallWeights(model, 'int8').graph!.initializer.filter(({ dataType }) => dataType === 1)
  expect(scales.map(scale => scale.dims.map(Number))).toEqual([dims.map((dim, d) => (d === axis ? dim : 1))])
})

test('devices with too little memory for the blocks as they are can carry them', async () => {
  const planned = async (choice?: WeightChoice) => {
    const { blocks } = await written('planned', choice)
    const memory = `${Math.round(0.6 * 4 * DEEP * WIDE * WIDE)}B`
    const { status } = await plan({
      name: 'small',
      devices: { porch: { memory }, shed: { memory } },
      links: { default: { bandwidth: '100Mbps', latency: '1ms' } },
      models: {
        two: {
          blocks: blocks.map(({ loadedBytes }) => ({ work: '1ms', weights: `${loadedBytes}B` })),
          activations: ['256B', '256B', '256B']
        }
      },
      sources: [{ name: 'cam', device: 'porch', model: 'two', count: 5 }]
    })
    return status
  }
  expect(await planned()).toBe('infeasible')
  expect(await planned({ format: 'fp16' })).toBe('optimal')
  expect(await planned({ format: 'int8' })).toBe('optimal')
})

test('takes and makes what it did: nobody has to set its weights', async () => {
  const small = await openModel((await written('fed', { format: 'int8' })).files[0]!)
  const plain = await openModel((await written('unfed')).files[0]!)
  expect(small.inputs.map(({ name }) => name)).toEqual(['x'])
  expect(compareOutputs(await plain.run(input), await small.run(input)).maxRelDiff).toBeLessThan(5e-2)
  await Promise.all([small.close(), plain.close()])
})
