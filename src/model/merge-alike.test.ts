import { TensorProto_DataType as T } from 'onnx-buf'
import { describe, expect, test } from 'vitest'
import { createRng, type Rng } from '../core/rng.ts'
import { openModel } from '../runtime/onnx/open-model.ts'
import { blockProtos, chainDiffers, check, save, study } from '../testing/cut-everywhere.ts'
import { bytesOf, floats, int, ints, type ModelParts, node, value, type Weights } from '../testing/onnx-builder.ts'
import { studyModel } from './files/study-model.ts'

const SIZE = 16
const MODELS = 60
const STORED = { int8: [T.INT8, 8], uint8: [T.UINT8, 8], int4: [T.INT4, 4], uint4: [T.UINT4, 4] } as const
type Stored = keyof typeof STORED

const weight = (name: string, stored: Stored, dims: readonly number[], rng: Rng): Weights => {
  const [dataType, bits] = STORED[stored]
  const length = Math.ceil((dims.reduce((a, b) => a * b, 1) * bits) / 8)
  const rawData = Uint8Array.from({ length }, () => Math.floor(rng.next() * 256))
  return { name, dataType, dims: dims.map(BigInt), rawData }
}
const scaleOf = (name: string, dims: readonly number[], size: number): Weights => ({
  name,
  dataType: T.FLOAT,
  dims: dims.map(BigInt),
  floatData: Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => size * (1 + (i % 3)))
})

/** How a weight may be quantised: scale's shape, and the attributes of its DequantizeLinear. */
const GRAINS = [
  { dims: [], attributes: [] },
  { dims: [SIZE], attributes: [int('axis', 1)] },
  { dims: [1, SIZE], attributes: [int('axis', 0), int('block_size', SIZE)] }
] as const

const io = {
  opset: 21,
  irVersion: 10,
  inputs: [value('x', T.FLOAT, [4, SIZE])],
  outputs: [value('y', T.FLOAT, [4, SIZE])]
}

/** A chain of products of such weights, some shared, some followed by what keeps the runtime from merging. */
const randomModel = (rng: Rng): ModelParts => {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(rng.next() * items.length)]!
  const stored = pick(Object.keys(STORED) as Stored[])
  const nodes: ReturnType<typeof node>[] = []
  const weights: Weights[] = [floats('low', [], 0), scaleOf('high', [], pick([0.01, 6])), floats('bias', [SIZE])]
  const dequantised = Array.from({ length: 1 + Math.floor(rng.next() * 3) }, (_, i) => {
    const { dims, attributes } = pick(GRAINS)
    const source = i > 0 && rng.next() < 0.3 ? `q${i - 1}` : `q${i}`
    const scale = i > 0 && dims.length === 0 && rng.next() < 0.3 ? 's' : `s${i}`
    if (source === `q${i}`) weights.push(weight(source, stored, [SIZE, SIZE], rng))
    if (i > 0 && source !== `q${i}` && !weights.some(w => w.name === source))
      weights.push(weight(source, stored, [SIZE, SIZE], rng))
    if (scale !== 's' || !weights.some(w => w.name === 's'))
      weights.push(scaleOf(scale, dims, pick([0.01, 0.02, 0.03])))
    const zero = rng.next() < 0.4 ? [`z${i}`] : []
    if (zero.length > 0) weights.push(weight(`z${i}`, stored, dims, rng))
    nodes.push(node('DequantizeLinear', [source, scale, ...zero], [`w${i}`], [...attributes]))
    if (rng.next() < 0.3) nodes.push(node('Transpose', [`w${i}`], [`v${i}`], [ints('perm', [1, 0])]))
    return nodes.at(-1)!.output![0]!
  })
  let last = 'x'
  const layers = 2 + Math.floor(rng.next() * 3)
  for (let i = 0; i < layers; i++) {
    const step = (op: string, inputs: readonly string[], attributes: Parameters<typeof node>[3] = []): void => {
      const output = `t${nodes.length}`
      nodes.push(node(op, inputs, [output], attributes))
      last = output
    }
    const factor = pick(dequantised)
    const product = pick(['MatMul', 'MatMul', 'Gemm', factor.startsWith('v') ? 'Gemm' : 'GemmT'])
    if (product === 'MatMul') step('MatMul', [last, factor])
    else
      step('Gemm', [last, factor, ...(rng.next() < 0.3 ? ['bias'] : [])], product === 'GemmT' ? [int('transB', 1)] : [])
    if (rng.next() < 0.3) step('Add', [last, 'bias'])
    const follower = pick(['Relu', 'Relu', 'Clip', 'Tanh', 'none', 'fork'])
    if (follower === 'Relu' || follower === 'Tanh') step(follower, [last])
    if (follower === 'Clip') step('Clip', [last, 'low', 'high'])
    if (follower === 'fork') {
      const from = last
      step('Relu', [from])
      step('Add', [from, last])
    }
  }
  nodes.push(node('Neg', [last], ['y']))
  return { ...io, nodes, weights }
}

describe('weights in few bits', () => {
  test('random chains of shared and single ones: the chain of blocks is the whole, wherever it is cut', async () => {
    const rng = createRng('weights in few bits')
    for (let i = 0; i < MODELS; i++) {
      const parts = randomModel(rng.fork(`${i}`))
      const model = await study(save(parts))
      const text = parts.nodes.map(n => `${n.opType}(${n.input}) -> ${n.output}`).join('; ')
      const all = model.cutPoints.map((_, k) => k)
      for (const cuts of [...all.map(k => [k]), all]) {
        // Parting a product from its bias changes the order of additions; merged otherwise, it would be a thousandth.
        const parted = cuts.some(k => model.analysis.layers[model.cutPoints[k]!.position]!.node.opType === 'Add')
        expect(await chainDiffers(model, cuts), `${i}: cut at ${cuts}: ${text}`).toBeLessThanOrEqual(parted ? 1e-5 : 0)
      }
    }
  })

  const int4 = (name: string): Weights => weight(name, 'int4', [SIZE, SIZE], createRng(name))
  const dq = (input: readonly string[], output: string) => node('DequantizeLinear', input, [output])

  test('a weight read by two layers is made into floats in both blocks, as in the whole', async () => {
    const model = await check({
      ...io,
      nodes: [
        dq(['q', 's'], 'w'),
        node('MatMul', ['x', 'w'], ['a']),
        node('Tanh', ['a'], ['r']),
        node('MatMul', ['r', 'w'], ['y'])
      ],
      weights: [int4('q'), scaleOf('s', [], 0.01)]
    })
    const blocks = await blockProtos(model, [1])
    expect(blocks.map(b => b.graph!.input.map(i => i.name))).toEqual([
      ['x', 's/settable'],
      ['r', 's/settable']
    ])
  })

  test('a weight of its own is merged in its block, as in the whole: nothing is changed', async () => {
    const model = await check({
      ...io,
      nodes: [
        dq(['q', 's'], 'w'),
        dq(['p', 't'], 'v'),
        node('MatMul', ['x', 'w'], ['a']),
        node('Tanh', ['a'], ['r']),
        node('MatMul', ['r', 'v'], ['y'])
      ],
      weights: [int4('q'), int4('p'), scaleOf('s', [], 0.01), scaleOf('t', [], 0.02)]
    })
    const blocks = await blockProtos(model, [1])
    expect(blocks.map(b => b.graph!.input.map(i => i.name))).toEqual([['x'], ['r']])
  })

  test('embeddings that are also the last layer', () =>
    check({
      ...io,
      nodes: [
        dq(['q', 's'], 'w'),
        node('Gather', ['w', 'i'], ['e']),
        node('Tanh', ['e'], ['t']),
        node('Transpose', ['w'], ['wt'], [ints('perm', [1, 0])]),
        node('MatMul', ['t', 'wt'], ['y'])
      ],
      weights: [int4('q'), scaleOf('s', [SIZE], 0.01)],
      inputs: [value('i', T.INT64, [4])]
    }))

  const zero = bytesOf('z', T.UINT8, [128], [])
  const quantised = (input: string, output: string) => [
    node('QuantizeLinear', [input, 'a', 'z'], [`${output}/q`]),
    dq([`${output}/q`, 'a', 'z'], output)
  ]

  test('a quantised activation that two layers read crosses in few bits, and every good cut is exact', async () => {
    const parts: ModelParts = {
      ...io,
      nodes: [
        dq(['q', 's'], 'w'),
        ...quantised('x', 'xd'),
        node('MatMul', ['xd', 'w'], ['m']),
        ...quantised('m', 'md'),
        node('MatMul', ['md', 'w'], ['n']),
        ...quantised('n', 'nd'),
        node('MatMul', ['nd', 'w'], ['o']),
        ...quantised('o', 'od'),
        node('Add', ['od', 'md'], ['p']),
        ...quantised('p', 'y')
      ],
      weights: [weight('q', 'int8', [SIZE, SIZE], createRng('q')), scaleOf('s', [], 0.01), scaleOf('a', [], 0.03), zero]
    }
    const model = await studyModel(save(parts), new Map(), openModel)
    expect(model.cutPoints.map(c => c.tensors)).toContainEqual(['md/q', 'nd/q'])
    const types = new Set(model.cutPoints.flatMap(c => c.tensors.map(name => model.facts.of(name).type)))
    expect([...types]).toEqual(['uint8'])
    const all = model.cutPoints.map((_, k) => k)
    for (const cuts of [...all.map(k => [k]), all]) expect(await chainDiffers(model, cuts)).toBe(0)
  })
})
