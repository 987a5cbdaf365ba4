import { create } from '@bufbuild/protobuf'
import {
  AttributeProto_AttributeType as A,
  type FunctionProto,
  FunctionProtoSchema,
  TensorProto_DataType as T
} from 'onnx-buf'
import { expect, test } from 'vitest'
import { openModel } from '../runtime/onnx/open-model.ts'
import { blockProtos, check, none, save, x, y } from '../testing/cut-everywhere.ts'
import {
  body,
  bytesOf,
  float,
  floats,
  int,
  type ModelParts,
  node,
  reference,
  tensorAttribute,
  value
} from '../testing/onnx-builder.ts'
import { prepareGraph } from './files/prepare-graph.ts'
import { readOnnxFile } from './files/read-onnx-file.ts'
import { studyModel } from './files/study-model.ts'
import { analyseGraph } from './graph-analysis.ts'

const opsetImport = [{ version: 17n }, { domain: 'mine', version: 1n }]
const fn = (name: string, nodes: readonly ReturnType<typeof node>[], more: object = {}): FunctionProto =>
  create(FunctionProtoSchema, {
    name,
    domain: 'mine',
    input: ['p'],
    output: ['q'],
    node: [...nodes],
    opsetImport,
    ...more
  })
const call = (name: string, input: string, output: string, overload = '', attributes: ReturnType<typeof int>[] = []) =>
  node(name, [input], [output], attributes, 'mine', overload)
const model = (nodes: ModelParts['nodes'], functions: readonly FunctionProto[]): ModelParts => ({
  nodes,
  functions,
  irVersion: 10,
  domains: [{ domain: 'mine', version: 1 }],
  inputs: [x()],
  outputs: [y([2, 3])]
})

test('overloads of a function are told apart, also those that only another overload calls', async () => {
  const studied = await check(
    model(
      [call('F', 'x', 'a'), call('F', 'a', 'b', 'fast'), call('F', 'b', 'y', 'slow')],
      [
        fn('F', [node('Relu', ['p'], ['q'])]),
        fn('F', [call('G', 'p', 'r'), node('Neg', ['r'], ['q'])], { overload: 'fast' }),
        fn('F', [node('Exp', ['p'], ['q'])], { overload: 'slow' }),
        fn('G', [node('Tanh', ['p'], ['q'])])
      ]
    ),
    { cutPoints: 3 }
  )
  expect(studied.analysis.layers.map(l => l.node.opType)).toEqual(['Relu', 'Tanh', 'Neg', 'Exp'])
})

test('an overload called inside of a function is what the runtime makes of it, and that is said', async () => {
  const studied = await check(
    model(
      [call('F', 'x', 'a', 'outer'), node('Abs', ['a'], ['y'])],
      [
        fn('F', [call('G', 'p', 'q', 'fast')], { overload: 'outer' }),
        fn('G', [node('Neg', ['p'], ['q'])]),
        fn('G', [node('Exp', ['p'], ['q'])], { overload: 'fast' })
      ]
    )
  )
  expect(studied.analysis.layers.map(l => l.node.opType)).toEqual(['Neg', 'Abs'])
  expect(studied.analysis.file.notes).toEqual([
    'node #0 mine::F:outer > mine::G:fast: ONNX Runtime takes mine::G there, and so do we'
  ])
})

test('a function is cut inside, and counts what its body does', async () => {
  const studied = await check(
    model(
      [call('Two', 'x', 'y')],
      [
        fn('Two', [
          node('Constant', [], ['w'], [tensorAttribute(floats('', [3, 3]))]),
          node('MatMul', ['p', 'w'], ['m']),
          node('Tanh', ['m'], ['t']),
          node('MatMul', ['t', 'w'], ['q'])
        ])
      ]
    ),
    { cutPoints: 2 }
  )
  expect(studied.costs.map(cost => cost.flops)).toEqual([2 * 2 * 3 * 3, 6, 2 * 2 * 3 * 3])
})

test('names inside of two calls and of the model do not meet, bodies that capture included', () => {
  const branch = (op: string) => ({ name: op, node: [node(op, ['a', 'p'], ['t'])], output: [value('t', T.FLOAT)] })
  const nodes = [
    node('Relu', ['p'], ['a']),
    node('ReduceSum', ['a'], ['s'], [int('keepdims', 0)]),
    node('Cast', ['s'], ['c'], [int('to', T.BOOL)]),
    node('If', ['c'], ['i'], [body('then_branch', branch('Add')), body('else_branch', branch('Sub'))]),
    node('Exp', ['i'], ['q'])
  ]
  return check(model([call('F', 'x', 'a'), node('Neg', ['a'], ['t']), call('F', 't', 'y')], [fn('F', nodes)]), {
    cutPoints: 6
  })
})

test('attributes of the call, defaults, and those that are left out', () => {
  const leaky = (alpha: string) => node('LeakyRelu', ['p'], ['q'], [reference('alpha', alpha, A.FLOAT)])
  return check(
    model(
      [
        node('Neg', ['x'], ['n']),
        call('Leaky', 'n', 'a', '', [float('slope', 0.5)]),
        call('Leaky', 'a', 'b'),
        call('Bare', 'b', 'y')
      ],
      [
        fn('Leaky', [leaky('slope')], { attributeProto: [float('slope', 3)] }),
        fn('Bare', [leaky('slope')], { attribute: ['slope'] })
      ]
    ),
    { cutPoints: 3 }
  )
})

test('inputs and outputs that the caller leaves empty', () =>
  check({
    ...model(
      [node('Clipped', ['x', '', 'most'], ['', 'b'], [], 'mine'), node('Neg', ['b'], ['y'])],
      [
        fn('Clipped', [node('Clip', ['p', 'low', 'high'], ['q']), node('Exp', ['q'], ['e'])], {
          input: ['p', 'low', 'high'],
          output: ['q', 'e']
        })
      ]
    ),
    weights: [floats('most', [], 0.4)]
  }))

test('a function in a domain of the runtime: its kernel computes, not the body', async () => {
  const parts = {
    ...model(
      [node('Gelu', ['x'], ['a'], [], 'com.microsoft'), node('Neg', ['a'], ['y'])],
      [fn('Gelu', [node('Exp', ['p'], ['q'])], { domain: 'com.microsoft' })]
    ),
    domains: [{ domain: 'com.microsoft', version: 1 }]
  }
  const studied = await check(parts)
  expect(studied.analysis.layers[0]!.node.opType).toBe('Gelu')
  const blocks = await blockProtos(studied, [0])
  expect(blocks.map(b => b.functions.map(f => f.name))).toEqual([['Gelu'], []])
})

test('a call in the body of an If', () => {
  const branch = (name: string) => ({ name, node: [call(name, 'x', 'r')], output: [value('r', T.FLOAT)] })
  return check({
    ...model(
      [
        node('Relu', ['x'], ['a']),
        node('ReduceMax', ['a'], ['m'], [int('keepdims', 0)]),
        node('Cast', ['m'], ['c'], [int('to', T.BOOL)]),
        node('If', ['c'], ['y'], [body('then_branch', branch('F')), body('else_branch', branch('G'))])
      ],
      [fn('F', [node('Exp', ['p'], ['q'])]), fn('G', [node('Neg', ['p'], ['q'])])]
    ),
    weights: [bytesOf('unused', T.BOOL, [1], [])]
  })
})

test('a function that calls itself, and an overload that is not there, are refused by name', async () => {
  const refused = async (parts: ModelParts): Promise<string> => {
    const file = save(parts)
    const { message } = await studyModel(file, none, openModel).then(
      () => new Error('accepted'),
      (error: Error) => error
    )
    return message.replace(file, 'FILE')
  }
  expect(
    await refused(
      model(
        [call('F', 'x', 'y')],
        [fn('F', [call('G', 'p', 'q', 'b')]), fn('G', [call('F', 'p', 'q')], { overload: 'b' })] // a ring of two
      )
    )
  ).toBe(
    'FILE: node #0 mine::F > mine::G:b > mine::F calls a function that calls itself (mine::F > mine::G:b > mine::F), which ONNX does not allow; export the model again'
  )
  expect(
    await refused(model([node('Relu', ['x'], ['a']), call('F', 'a', 'y', 'c')], [fn('F', [node('Exp', ['p'], ['q'])])]))
  ).toBe('FILE: node #1 mine::F:c calls mine::F:c, an overload that the model does not bring; export the model again')
})

test('an error inside of a function names the call', async () => {
  const file = save(model([call('F', 'x', 'y')], [fn('F', [node('Add', ['p', 'nowhere'], ['q'])])]))
  const read = await readOnnxFile(file)
  await expect(prepareGraph(read, openModel).then(analyseGraph)).rejects.toThrow(
    /node #0 mine::F > Add reads ".*nowhere", which nothing writes/
  )
})
