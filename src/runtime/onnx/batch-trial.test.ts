import { createWriteStream, renameSync, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { TensorProto_DataType as T } from 'onnx-buf'
import { expect, test } from 'vitest'
import { stackTensors } from '../../core/stack-tensors.ts'
import { batchedBlock } from '../../model/batched-block.ts'
import { writeBlocks } from '../../model/files/write-blocks.ts'
import { makeBlocks } from '../../model/make-blocks.ts'
import { feedsFor } from '../../model/tensor-facts.ts'
import { chain, fresh, save, study, x, y } from '../../testing/cut-everywhere.ts'
import {
  bytesOf,
  floats,
  int,
  int64s,
  ints,
  type ModelParts,
  node,
  tensorAttribute,
  value
} from '../../testing/onnx-builder.ts'
import { batchTrial } from './batch-trial.ts'
import { openModel } from './open-model.ts'

/** Cut at each possible point: which blocks take several data, and the files. */
const tried = async (parts: ModelParts) => {
  const model = await study(save(parts))
  const cuts = [...model.cutPoints.keys()]
  const stem = fresh()
  const fileOf = (index: number): string => `${stem}-${index}.onnx`
  const blocks = await writeBlocks(
    model,
    cuts,
    (index, chunks) => pipeline(Readable.from(chunks), createWriteStream(fileOf(index))),
    batchTrial(model, cuts, fileOf)
  )
  return { model, fileOf, blocks, batches: blocks.map(({ batches }) => batches) }
}

const relu = (from: string, to: string) => node('Relu', [from], [to])
const fixed = { inputs: [x([1, 4])], outputs: [y([1, 4])] }

test('blocks of a model with a fixed first dimension take several data, and are fed the same for one', async () => {
  const { model, blocks, batches, fileOf } = await tried({ nodes: chain('Relu', 'Exp'), ...fixed })
  expect(batches).toEqual([true, true])
  const again = await tried({ nodes: chain('Relu', 'Exp'), ...fixed })
  expect(again.blocks.map(({ sha256 }) => sha256)).toEqual(blocks.map(({ sha256 }) => sha256))
  const first = await openModel(fileOf(0))
  const [one, other] = ['a', 'b'].map(seed => feedsFor(first.inputs, model.facts.inputShapes, seed)!)
  const [both] = await first.run(stackTensors([one!, other!]))
  expect(both!.dims).toEqual([2, 4])
  await first.close()
})

const wide = { inputs: [x([1, 2, 4])], outputs: [y([1, 2, 4])] }
const heads = (shape: readonly number[], back: readonly number[]): ModelParts => ({
  ...wide,
  nodes: [
    node('Reshape', ['x', 'shape'], ['rows']),
    node('MatMul', ['rows', 'w'], ['product']),
    node('Reshape', ['product', 'back'], ['y'])
  ],
  weights: [floats('w', [4, 4]), int64s('shape', shape), int64s('back', back)]
})

test.each([
  [
    [2, 4],
    [1, 2, 4]
  ],
  [
    [-1, 4],
    [1, -1, 4]
  ],
  [
    [2, -1],
    [1, 2, 4]
  ]
])('shapes that hold the first dimension follow the data: %j and %j', async (shape, back) => {
  expect((await tried(heads(shape, back))).batches).not.toContain(false)
})

test.each<[string, ModelParts]>([
  [
    'a sum over all data',
    { ...fixed, nodes: [node('CumSum', ['x', 'axis'], ['y'])], weights: [int64s('axis', [0], [])] }
  ],
  [
    'a constant that joins each datum',
    {
      nodes: [node('Concat', ['x', 'c'], ['y'], [{ name: 'axis', type: 2, i: 1n }])],
      weights: [floats('c', [1, 1])],
      inputs: [x([1, 4])],
      outputs: [y([1, 5])]
    }
  ],
  [
    'data that lie along another dimension',
    {
      nodes: [node('Transpose', ['x'], ['y'], [ints('perm', [1, 0])])],
      inputs: [x([1, 4])],
      outputs: [y([4, 1])]
    }
  ],
  ['chance', { ...fixed, nodes: [node('RandomUniformLike', ['x'], ['r']), node('Add', ['x', 'r'], ['y'])] }],
  [
    'a scalar',
    {
      nodes: [node('Add', ['x', 's'], ['y'])],
      inputs: [x([1, 4]), value('s', T.FLOAT, [])],
      outputs: [y([1, 4])]
    }
  ],
  [
    'one scale for all data',
    {
      nodes: [node('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']), node('DequantizeLinear', ['q', 's', 'z'], ['y'])],
      inputs: [x([1, 4])],
      outputs: [y([1, 4])]
    }
  ]
])('%s: one datum at a time', async (_, parts) => {
  const { batches } = await tried(parts)
  expect(batches).toContain(false)
})

/** A sum over all data that no axis tells, between what makes x and what makes y of it. */
const hiddenSum = (before: ModelParts['nodes'], after: ModelParts['nodes'], weights: ModelParts['weights'] = []) => ({
  ...fixed,
  nodes: [
    ...before,
    node('Transpose', ['a'], ['columns'], [ints('perm', [1, 0])]),
    node('CumSum', ['columns', 'along'], ['sums']),
    node('Transpose', ['sums'], ['b'], [ints('perm', [1, 0])]),
    ...after
  ],
  weights: [int64s('along', [1], []), ...weights]
})

test.each<[string, ModelParts]>([
  ['no numbers', hiddenSum([node('Log', ['x'], ['l']), node('Log', ['l'], ['a'])], [node('Identity', ['b'], ['y'])])],
  ['one for all', hiddenSum([node('Mul', ['x', 'x'], ['s']), node('Exp', ['s'], ['a'])], [node('Sign', ['b'], ['y'])])],
  ['nothing', hiddenSum([node('Abs', ['x'], ['n']), node('Neg', ['n'], ['a'])], [relu('b', 'y')])]
])('where the trial makes %s, it shows nothing: one datum at a time', async (_, parts) => {
  const model = await study(save(parts))
  const fileOf = (): string => `${stem}.onnx`
  const stem = fresh()
  const write = (_index: number, chunks: AsyncIterable<Uint8Array>) =>
    pipeline(Readable.from(chunks), createWriteStream(fileOf()))
  const [block] = await writeBlocks(model, [], write, batchTrial(model, [], fileOf))
  expect(block!.batches).toBe(false)
})

const TINY = floats('tiny', [1], 1e-9)
/** What an operator makes of all data is added, so little that no trial shows it. */
const withTrace = (made: ModelParts['nodes'], weights: ModelParts['weights'] = [], opset = 17): ModelParts => ({
  nodes: [...made, node('Mul', ['m', 'tiny'], ['little']), node('Add', ['x', 'little'], ['y'])],
  weights: [TINY, ...weights],
  ...fixed,
  opset
})
const axes = (values: readonly number[]) => int64s('axes', values)
const noop = int('noop_with_empty_axes', 1)

test.each<[string, boolean, ModelParts]>([
  ['a mean over the first, by an attribute', false, withTrace([node('ReduceMean', ['x'], ['m'], [ints('axes', [0])])])],
  ['over the second', true, withTrace([node('ReduceMean', ['x'], ['m'], [ints('axes', [1])])])],
  ['over the last but one of two', false, withTrace([node('ReduceMean', ['x'], ['m'], [ints('axes', [-2])])])],
  ['over the last', true, withTrace([node('ReduceMean', ['x'], ['m'], [ints('axes', [-1])])])],
  ['over all', false, withTrace([node('ReduceMax', ['x'], ['m'], [int('keepdims', 0)])])],
  ['a sum over the first, by an input', false, withTrace([node('ReduceSum', ['x', 'axes'], ['m'])], [axes([0])])],
  ['over the second', true, withTrace([node('ReduceSum', ['x', 'axes'], ['m'])], [axes([1])])],
  ['over all, by no axes', false, withTrace([node('ReduceSum', ['x', 'axes'], ['m'])], [axes([])])],
  ['over none, by no axes', true, withTrace([node('ReduceSum', ['x', 'axes'], ['m'], [noop])], [axes([])])],
  [
    'by a node that makes the axes',
    false,
    withTrace([node('Constant', [], ['axes'], [tensorAttribute(axes([0]))]), node('ReduceSum', ['x', 'axes'], ['m'])])
  ],
  ['a mean of today, over the first', false, withTrace([node('ReduceMean', ['x', 'axes'], ['m'])], [axes([-2])], 18)],
  ['a softmax over the first', false, withTrace([node('Softmax', ['x'], ['m'], [int('axis', 0)])])],
  ['over the last', true, withTrace([node('Softmax', ['x'], ['m'])])],
  ['an old one, over the second', true, withTrace([node('Softmax', ['x'], ['m'])], [], 12)],
  ['a running sum over the first', false, withTrace([node('CumSum', ['x', 'at'], ['m'])], [int64s('at', [-2], [])])],
  ['over the second', true, withTrace([node('CumSum', ['x', 'at'], ['m'])], [int64s('at', [1], [])])],
  [
    'the largest of all data',
    false,
    withTrace([node('TopK', ['x', 'k'], ['m', 'which'], [int('axis', 0)])], [int64s('k', [1])])
  ],
  [
    'a normalisation of all',
    false,
    withTrace([node('LayerNormalization', ['x', 'one'], ['m'], [int('axis', 0)])], [floats('one', [1, 4])])
  ],
  ['of each', true, withTrace([node('LayerNormalization', ['x', 'one'], ['m'])], [floats('one', [4])])],
  [
    'what is made of constants alone',
    true,
    withTrace([node('ReduceMean', ['c'], ['m'], [ints('axes', [0])])], [floats('c', [3, 4])])
  ]
])('operators along the first dimension, whatever the trial shows: %s', async (_, holds, parts) => {
  const model = await study(save(parts))
  const [block] = makeBlocks(model.analysis, model.facts, [])
  expect(batchedBlock(block!, model.facts) !== undefined).toBe(holds)
})

test("Microsoft's operators with one scale for all data are not tried", async () => {
  const quantised = node('DynamicQuantizeMatMul', ['x', 'w', 'scale'], ['y'], [], 'com.microsoft')
  const model = await study(
    save({
      ...{ nodes: [quantised], inputs: [x([1, 4])], outputs: [y([1, 4])] },
      weights: [bytesOf('w', T.INT8, Array(16).fill(3), [4, 4]), floats('scale', [1])],
      domains: [{ domain: 'com.microsoft', version: 1 }]
    })
  )
  const [block] = makeBlocks(model.analysis, model.facts, [])
  expect(batchedBlock(block!, model.facts)).toBeUndefined()
})

test('what keeps a block from being opened is said, and is not taken for a block of single data', async () => {
  const model = await study(save({ nodes: chain('Relu', 'Exp'), ...fixed }))
  const broken = fresh()
  writeFileSync(broken, 'none')
  await expect(batchTrial(model, [], () => broken).holds(0, undefined)).rejects.toThrow('Protobuf parsing failed')
  const whole = save({ nodes: chain('Relu', 'Exp'), ...fixed })
  const trial = batchTrial(model, [], () => whole)
  writeFileSync(`${whole}.together`, 'none')
  await expect(trial.holds(0, 'other')).rejects.toThrow('Protobuf parsing failed')
})

test('a form whose shapes do not go together is none', async () => {
  const model = await study(save({ nodes: chain('Relu', 'Exp'), ...fixed }))
  const whole = save({ nodes: chain('Relu', 'Exp'), ...fixed })
  const odd = save({ nodes: [node('Add', ['x', 'w'], ['y'])], weights: [floats('w', [1, 3])], ...fixed })
  renameSync(odd, `${whole}.together`)
  expect(await batchTrial(model, [], () => whole).holds(0, 'other')).toBe(false)
})

test('one block that takes single data does not keep the others from more, and keeps its bytes', async () => {
  const parts = {
    ...fixed,
    nodes: [relu('x', 'a'), node('CumSum', ['a', 'axis'], ['b']), relu('b', 'y')],
    weights: [int64s('axis', [0], [])]
  }
  const { batches, blocks, model } = await tried(parts)
  expect(batches).toEqual([true, false, true])
  const plain = await writeBlocks(model, [...model.cutPoints.keys()], async (_, chunks) => {
    for await (const _chunk of chunks);
  })
  expect(blocks.map(({ sha256 }, k) => sha256 === plain[k]!.sha256)).toEqual([false, true, false])
})

test('a model whose first dimension is open is tried as it is', async () => {
  const parts = { nodes: chain('Relu', 'Exp'), inputs: [x(['n', 4])], outputs: [y(['n', 4])] }
  const { batches, blocks, model } = await tried(parts)
  expect(batches).toEqual([true, true])
  const plain = await writeBlocks(model, [...model.cutPoints.keys()], async (_, chunks) => {
    for await (const _chunk of chunks);
  })
  expect(blocks.map(({ sha256 }) => sha256)).toEqual(plain.map(({ sha256 }) => sha256))
})
