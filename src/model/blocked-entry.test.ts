import { writeFileSync } from 'node:fs'
import { TensorProto_DataType as T } from 'onnx-buf'
import { describe, expect, test } from 'vitest'
import { openModel } from '../runtime/onnx/open-model.ts'
import { exactEverywhere, fresh, save, study } from '../testing/cut-everywhere.ts'
import { body, buildModel, floats, int, ints, type ModelParts, node, value } from '../testing/onnx-builder.ts'
import { makeBlocks } from './make-blocks.ts'

const F = T.FLOAT

/** Two convolutions with a shortcut around the second: `a` is read by a convolution and by the Add. */
const residual = (channels: number, join = node('Add', ['b', 'a'], ['s'])): ModelParts => ({
  nodes: [
    node('Conv', ['x', 'w1'], ['c'], [ints('kernel_shape', [3, 3]), ints('pads', [1, 1, 1, 1])]),
    node('Relu', ['c'], ['a']),
    node('Conv', ['a', 'w2'], ['b'], [ints('kernel_shape', [3, 3]), ints('pads', [1, 1, 1, 1])]),
    join,
    node('Relu', ['s'], ['y'])
  ],
  weights: [floats('w1', [channels, 3, 3, 3], 0.3), floats('w2', [channels, channels, 3, 3], 0.1)],
  inputs: [value('x', F, [1, 3, 6, 5])],
  outputs: [value('y', F, [1, join.opType === 'Concat' ? 2 * channels : channels, 6, 5])]
})

/** The operators of the block that begins where exactly these tensors cross. */
const blockAfter = async (parts: ModelParts, crossing: readonly string[]) => {
  const model = await study(save(parts))
  await exactEverywhere(model, 1e-6)
  const cut = model.cutPoints.find(point => point.tensors.toSorted().join() === crossing.join())!
  return makeBlocks(model.analysis, model.facts, [cut.position])[1]!
}

const operators = ({ model }: Awaited<ReturnType<typeof blockAfter>>): string[] => model.graph!.node.map(n => n.opType)

describe('an image enters a block in the layout of its convolutions', () => {
  test('when an Add joins it with what a convolution made', async () => {
    const block = await blockAfter(residual(8), ['a'])
    expect(operators(block)).toEqual(['AveragePool', 'Conv', 'Add', 'Relu'])
    expect(block.inputs).toEqual(['a'])
    expect(block.model.graph!.node.map(n => n.input[0])).toEqual(['a', 'a/blocked', 'b', 's'])
    expect(block.model.graph!.node[2]!.input).toEqual(['b', 'a/blocked'])
  })

  test('when a Concat does', async () => {
    const block = await blockAfter(residual(16, node('Concat', ['b', 'a'], ['s'], [int('axis', 1)])), ['a'])
    expect(operators(block)).toEqual(['AveragePool', 'Conv', 'Concat', 'Relu'])
  })

  test('under another name when its own is taken', async () => {
    const parts = residual(8)
    const nodes = parts.nodes.map(n => ({
      ...n,
      input: n.input!.map(name => (name === 'b' ? 'a/blocked' : name)),
      output: n.output!.map(name => (name === 'b' ? 'a/blocked' : name))
    }))
    const block = await blockAfter({ ...parts, nodes }, ['a'])
    expect(block.model.graph!.node[0]!.output).toEqual(['a/blocked_1'])
  })

  test('while a body that captures it, and what works on the plain layout, read it as it came', async () => {
    const parts = residual(8)
    const branch = { name: 'b', node: [node('Neg', ['a'], ['r'])], output: [value('r', F, [1, 8, 6, 5])] }
    const nodes = [
      ...parts.nodes,
      node('If', ['yes'], ['z'], [body('then_branch', branch), body('else_branch', branch)]),
      node('Transpose', ['a'], ['v'], [ints('perm', [0, 2, 3, 1])])
    ]
    const inputs = [...parts.inputs, value('yes', T.BOOL, [])]
    const outputs = [...parts.outputs, value('z', F, [1, 8, 6, 5]), value('v', F, [1, 6, 5, 8])]
    const block = await blockAfter({ ...parts, nodes, inputs, outputs }, ['a', 'yes'])
    const reader = (opType: string) => block.model.graph!.node.find(n => n.opType === opType)!
    expect(reader('Add').input).toContain('a/blocked')
    expect(reader('Transpose').input).toEqual(['a'])
    expect(reader('If').attribute[0]!.g!.node[0]!.input).toEqual(['a'])
  })
})

describe('it stays as it is', () => {
  test.each([
    ['when only a convolution reads it', residual(8, node('Neg', ['b'], ['s'])), ['a']],
    ['when its channels do not fill the blocks of that layout', residual(6), ['a']],
    ['when the convolution is in an earlier block', residual(8), ['a', 'b']]
  ])('%s', async (_, parts, crossing) => {
    expect(operators(await blockAfter(parts, crossing))).not.toContain('AveragePool')
  })

  test('when it is a mask on attention scores', async () => {
    const block = await blockAfter(
      {
        nodes: [
          node('Neg', ['x'], ['mask']),
          node('Conv', ['x', 'w'], ['c']),
          node('MatMul', ['c', 'c'], ['scores']),
          node('Add', ['scores', 'mask'], ['masked']),
          node('Softmax', ['masked'], ['y'])
        ],
        weights: [floats('w', [8, 8, 1, 1], 0.1)],
        inputs: [value('x', F, [1, 8, 4, 4])],
        outputs: [value('y', F, [1, 8, 4, 4])]
      },
      ['mask', 'x']
    )
    expect(operators(block)).not.toContain('AveragePool')
  })
})

test('an average over one pixel changes no value, not even one that is not finite', async () => {
  const file = fresh()
  const dims = [1, 16, 1, 2]
  writeFileSync(
    file,
    buildModel({
      nodes: [node('AveragePool', ['x'], ['y'], [ints('kernel_shape', [1, 1])])],
      inputs: [value('x', F, dims)],
      outputs: [value('y', F, dims)]
    })
  )
  const odd = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    1.4e-45,
    3.4028234663852886e38,
    1 / 3,
    0,
    -7
  ]
  const values = Float32Array.from({ length: 32 }, (_, i) => odd[i % odd.length]!)
  const model = await openModel(file)
  const [y] = await model.run([{ name: 'x', type: 'float32', dims, data: new Uint8Array(values.slice().buffer) }])
  expect(new Float32Array(y!.data.buffer)).toEqual(values)
  await model.close()
})
