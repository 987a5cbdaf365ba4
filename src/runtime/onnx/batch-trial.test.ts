import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { TensorProto_DataType as T } from 'onnx-buf'
import { expect, test } from 'vitest'
import { stackTensors } from '../../core/stack-tensors.ts'
import { writeBlocks } from '../../model/files/write-blocks.ts'
import { feedsFor } from '../../model/tensor-facts.ts'
import { chain, fresh, save, study, x, y } from '../../testing/cut-everywhere.ts'
import { floats, int64s, ints, type ModelParts, node, value } from '../../testing/onnx-builder.ts'
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
