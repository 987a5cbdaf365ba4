import { TensorProto_DataType as T } from 'onnx-buf'
import { expect, test } from 'vitest'
import { check, x, y } from '../../testing/cut-everywhere.ts'
import {
  body,
  bytesOf,
  floats,
  int,
  int64s,
  type ModelParts,
  node,
  tensorAttribute,
  value
} from '../../testing/onnx-builder.ts'

const F = T.FLOAT
const branch = (op: string, more: object = {}) => ({
  name: op,
  node: [node(op, ['a', 'w'], ['t']), node('Tanh', ['t'], ['r'])],
  output: [value('r', F, [2, 3])],
  ...more
})
const model = (condition: ModelParts['nodes'], parts: Partial<ModelParts> = {}): ModelParts => ({
  nodes: [
    node('Relu', ['x'], ['a']),
    ...condition,
    node('If', ['c'], ['i'], [body('then_branch', branch('Add')), body('else_branch', branch('Mul'))]),
    node('Neg', ['i'], ['y'])
  ],
  weights: [floats('w', [2, 3])],
  inputs: [x()],
  outputs: [y([2, 3])],
  ...parts
})
const kinds = async (parts: ModelParts, cutPoints = 3) =>
  (await check(parts, { cutPoints })).analysis.layers.map(layer => layer.node.opType)
const bool = (name: string, held: 0 | 1) => bytesOf(name, T.BOOL, [held], [])

test('an If whose condition is a constant is the branch that is taken, and is cut inside', async () => {
  for (const [held, op] of [
    [1, 'Add'],
    [0, 'Mul']
  ] as const) {
    const weights = [floats('w', [2, 3]), bool('c', held)]
    expect(await kinds(model([], { weights }))).toEqual(['Relu', op, 'Tanh', 'Neg'])
    const constant = node('Constant', [], ['c'], [tensorAttribute(bool('', held))])
    expect(await kinds(model([constant]))).toEqual(['Relu', op, 'Tanh', 'Neg'])
  }
})

test('a condition that is computed from constants', async () => {
  const nodes = [node('Shape', ['w'], ['s']), node('Size', ['s'], ['n']), node('Equal', ['n', 'two'], ['c'])]
  const weights = [floats('w', [2, 3]), int64s('two', [2], [])]
  expect(await kinds(model(nodes, { weights }))).toEqual(['Relu', 'Add', 'Tanh', 'Neg'])
})

test('a condition that depends on an input, or that a user may set, stays', async () => {
  const onInput = [
    node('ReduceMax', ['a'], ['m'], [int('keepdims', 0)]),
    node('Cast', ['m'], ['c'], [int('to', T.BOOL)])
  ]
  expect(await kinds(model(onInput))).toContain('If')
  const weights = [floats('w', [2, 3]), bool('c', 1)]
  expect(await kinds(model([], { weights, inputs: [x(), value('c', T.BOOL, [])] }), 2)).toContain('If')
})

test('a branch with weights of its own, one If in another, names that are in use, outputs handed through', async () => {
  const inner = (op: string) => ({ name: op, node: [node(op, ['t'], ['u'])], output: [value('u', F, [2, 3])] })
  const then = {
    name: 'then',
    initializer: [floats('k', [2, 3])],
    node: [
      node('Sub', ['a', 'k'], ['t']),
      node('If', ['c'], ['v'], [body('then_branch', inner('Exp')), body('else_branch', inner('Abs'))]),
      node('If', ['d'], ['z'], [body('then_branch', inner('Neg')), body('else_branch', inner('Abs'))])
    ],
    output: [value('v', F, [2, 3]), value('k', F, [2, 3]), value('z', F, [2, 3])]
  }
  const parts: ModelParts = {
    nodes: [
      node('Relu', ['x'], ['a']),
      node('ReduceMax', ['a'], ['m'], [int('keepdims', 0)]),
      node('Cast', ['m'], ['d'], [int('to', T.BOOL)]),
      node('If', ['c'], ['i', 'l', 'o'], [body('then_branch', then), body('else_branch', then)]),
      node('Sum', ['i', 'l', 'o'], ['y'])
    ],
    weights: [bool('c', 1)],
    inputs: [x()],
    outputs: [y([2, 3])]
  }
  const ops = await kinds(parts)
  expect(ops.filter(op => op === 'If')).toHaveLength(1)
  expect(ops).toContain('Exp')
})
