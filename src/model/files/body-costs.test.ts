import { TensorProto_DataType as T } from 'onnx-buf'
import { expect, test } from 'vitest'
import { check, save, study, x, y } from '../../testing/cut-everywhere.ts'
import { body, bytesOf, floats, int, int64s, type ModelParts, node, value } from '../../testing/onnx-builder.ts'

const F = T.FLOAT
const flopsOf = async (parts: ModelParts, op: string, shapes?: ReadonlyMap<string, readonly number[]>) => {
  const { analysis, costs } = await study(save(parts), shapes)
  return costs[analysis.layers.findIndex(layer => layer.node.opType === op)]!.flops
}
const io = { inputs: [x([4, 8])], outputs: [y()] }
/** 2 x 4 x 8 x 8 for x of 4x8 and w of 8x8. */
const PRODUCT = 512

const decided = [node('ReduceMax', ['x'], ['m'], [int('keepdims', 0)]), node('Cast', ['m'], ['c'], [int('to', T.BOOL)])]

test('of an If the dearer branch counts, with weights that it captures and weights of its own', async () => {
  const cheap = { name: 'cheap', node: [node('Neg', ['x'], ['r'])], output: [value('r', F)] }
  const dear = {
    name: 'dear',
    initializer: [floats('v', [8, 8])],
    node: [node('MatMul', ['x', 'w'], ['p']), node('MatMul', ['p', 'v'], ['r'])],
    output: [value('r', F)]
  }
  for (const [one, other] of [
    [cheap, dear],
    [dear, cheap]
  ] as const) {
    const nodes = [...decided, node('If', ['c'], ['y'], [body('then_branch', one), body('else_branch', other)])]
    expect(await flopsOf({ nodes, weights: [floats('w', [8, 8])], ...io }, 'If')).toBe(2 * PRODUCT)
  }
})

const loop = (trips: string) =>
  node(
    'Loop',
    [trips, 'go', 'x'],
    ['y'],
    [
      body('body', {
        name: 'body',
        input: [value('i', T.INT64, []), value('on', T.BOOL, []), value('v', F)],
        node: [node('Identity', ['on'], ['on2']), node('MatMul', ['v', 'w'], ['v2'])],
        output: [value('on2', T.BOOL, []), value('v2', F)]
      })
    ]
  )

test('of a Loop the body counts as often as a constant says, else once', async () => {
  const weights = [floats('w', [8, 8]), int64s('three', [3], []), bytesOf('go', T.BOOL, [1], [])]
  const perRound = PRODUCT // Identity is none
  expect(await flopsOf({ nodes: [loop('three')], weights, ...io }, 'Loop')).toBe(3 * perRound)
  const inputs = [x([4, 8]), value('n', T.INT64, [])]
  expect(await flopsOf({ nodes: [loop('n')], weights, ...io, inputs }, 'Loop')).toBe(perRound)
})

test('of a Scan the body counts for every slice, at the given shape', async () => {
  const nodes = [
    node(
      'Scan',
      ['state', 'x'],
      ['last', 'y'],
      [
        int('num_scan_inputs', 1),
        body('body', {
          name: 'body',
          input: [value('s', F), value('row', F)],
          node: [
            node('MatMul', ['row', 'w'], ['p']),
            node('Add', ['p', 's'], ['s2']),
            node('Identity', ['s2'], ['out'])
          ],
          output: [value('s2', F), value('out', F)]
        })
      ]
    )
  ]
  const weights = [floats('w', [8, 8]), floats('state', [8])]
  const parts = { nodes, weights, inputs: [x(['rows', 8])], outputs: [y()] }
  expect(await flopsOf(parts, 'Scan', new Map([['x', [5, 8]]]))).toBe(5 * (2 * 8 * 8 + 8))
})

test('a body inside of a body', async () => {
  const inner = (op: string) => ({ name: op, node: [node(op, ['p', 'w'], ['r'])], output: [value('r', F)] })
  const outer = {
    name: 'outer',
    node: [
      node('MatMul', ['x', 'w'], ['p']),
      node('If', ['c'], ['s'], [body('then_branch', inner('MatMul')), body('else_branch', inner('MatMul'))])
    ],
    output: [value('s', F)]
  }
  const nodes = [...decided, node('If', ['c'], ['y'], [body('then_branch', outer), body('else_branch', outer)])]
  expect(await flopsOf({ nodes, weights: [floats('w', [8, 8])], ...io }, 'If')).toBe(2 * PRODUCT)
})

const dense = (domain: string) => ({
  name: 'Dense',
  domain,
  input: ['p', 'u'],
  output: ['q'],
  node: [node('MatMul', ['p', 'u'], ['t']), node('Identity', ['t'], ['q'])],
  opsetImport: [{ domain: '', version: 17n }]
})
const dense2 = (domain: string) => ({
  ...dense(domain),
  name: 'Dense2',
  node: [node('Dense', ['p', 'u'], ['t'], [], domain), node('Dense', ['t', 'u'], ['q'], [], domain)],
  opsetImport: [{ domain, version: 1n }]
})
const calling = (domain: string, nodes: ModelParts['nodes']): ModelParts => ({
  nodes,
  weights: [floats('w', [8, 8])],
  functions: [dense(domain), dense2(domain)],
  domains: [{ domain, version: 1 }],
  ...io
})

test('of a call that stays one, in a domain of the runtime, the body of its function counts, and what that calls', async () => {
  const one = node('Dense', ['x', 'w'], ['y'], [], 'com.microsoft')
  expect(await flopsOf(calling('com.microsoft', [one]), 'Dense')).toBe(PRODUCT)
  const two = node('Dense2', ['x', 'w'], ['y'], [], 'com.microsoft')
  expect(await flopsOf(calling('com.microsoft', [two]), 'Dense2')).toBe(2 * PRODUCT)
  const branch = (name: string, op: string) =>
    body(name, {
      name: 'branch',
      node: [node(op, ['x', 'w'], [`r_${op}`], [], 'com.microsoft')],
      output: [value(`r_${op}`, F)]
    })
  const either = node('If', ['c'], ['y'], [branch('then_branch', 'Dense'), branch('else_branch', 'Dense2')])
  expect(await flopsOf(calling('com.microsoft', [...decided, either]), 'If')).toBe(2 * PRODUCT)
})

for (const domain of ['com.microsoft.my', 'ai.onnx.contrib', 'ai.onnx.ml.mine', 'com.ms.internal', 'mine']) {
  test(`a function in ${domain}, where the runtime has no kernels, stands where it is called`, async () => {
    const calls = [node('Dense2', ['x', 'w'], ['a'], [], domain), node('Tanh', ['a'], ['y'])]
    const { analysis, costs, cutPoints } = await check(calling(domain, calls), { cutPoints: 2 })
    const ops = analysis.layers.map(layer => layer.node.opType)
    expect(ops).toEqual(['MatMul', 'Identity', 'MatMul', 'Identity', 'Tanh'])
    expect(costs.map(({ flops }) => flops)).toEqual([PRODUCT, 0, PRODUCT, 0, 32])
    expect(cutPoints.length).toBeGreaterThan(1)
  })
}
