import { createWriteStream, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { TensorProto_DataType as T } from 'onnx-buf'
import { describe, expect, test } from 'vitest'
import { openModel } from '../../runtime/onnx/open-model.ts'
import { chain, fresh, save, study, x, y } from '../../testing/cut-everywhere.ts'
import {
  body,
  buildModel,
  bytesOf,
  floats,
  int,
  type ModelParts,
  node,
  value,
  type Weights
} from '../../testing/onnx-builder.ts'
import { verifyChain } from './verify-chain.ts'
import { writeBlocks } from './write-blocks.ts'

const blockFiles = async (parts: ModelParts, file = save(parts)) => {
  const model = await study(file)
  const cuts = model.cutPoints.map((_, i) => i)
  const files: string[] = []
  await writeBlocks(model, cuts, async (index, chunks) => {
    files[index] = fresh()
    await pipeline(Readable.from(chunks), createWriteStream(files[index]))
  })
  return { model, cuts, files }
}

/** Cut everywhere; with `broken`, one block, counted from the end, is that of another model. */
const verified = async (parts: ModelParts, broken?: ModelParts, fromEnd = 1) => {
  const { model, cuts, files } = await blockFiles(parts)
  if (broken !== undefined) files[files.length - fromEnd] = (await blockFiles(broken)).files.at(-fromEnd)!
  return verifyChain(model, cuts, files, openModel, { now: () => 0, rounds: 1 })
}

const options = { now: () => 0, rounds: 1 }

const halves = (name: string, dims: readonly number[], scale: number): Weights => {
  const { rawData } = floats(name, dims, scale)
  const bits = Uint16Array.from(new Float32Array(rawData!.slice().buffer), toHalf)
  return { name, dataType: T.FLOAT16, dims: dims.map(BigInt), rawData: new Uint8Array(bits.buffer) }
}

/** Of numbers between 2^-14 and 2, cut off. */
const toHalf = (number: number): number => {
  const size = Math.abs(number)
  if (size < 2 ** -14) return 0
  const exponent = Math.floor(Math.log2(size))
  return (number < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | Math.floor((size / 2 ** exponent - 1) * 1024)
}

const halfMlp = (lastScale: number): ModelParts => ({
  nodes: Array.from({ length: 8 }, (_, i) => [
    node('MatMul', [i === 0 ? 'x' : `t${i - 1}`, `w${i}`], [`m${i}`]),
    node('Tanh', [`m${i}`], [i === 7 ? 'y' : `t${i}`])
  ]).flat(),
  weights: Array.from({ length: 8 }, (_, i) => halves(`w${i}`, [32, 32], i === 7 ? lastScale : 0.2)),
  inputs: [x([1, 32], T.FLOAT16)],
  outputs: [y([1, 32], T.FLOAT16)]
})

describe('--verify', () => {
  test('a half-precision model that each cut rounds is within its tolerance, which is named', async () => {
    const { ok, maxRelDiff, outputs } = await verified(halfMlp(0.2))
    expect(outputs[0]!.tolerance.kind).toBe('float16')
    expect(maxRelDiff).toBeGreaterThan(1e-5) // what fp32 would not be allowed
    expect(maxRelDiff).toBeLessThan(1e-2)
    expect(ok).toBe(true)
  })

  test('a wrong block of a half-precision model fails', async () => {
    const { ok, maxRelDiff } = await verified(halfMlp(0.2), halfMlp(0.1), 2)
    expect(maxRelDiff).toBeGreaterThan(1e-2)
    expect(ok).toBe(false)
  })

  const mlp = (scale: number): ModelParts => ({
    nodes: [node('MatMul', ['x', 'w'], ['a']), node('Tanh', ['a'], ['b']), node('MatMul', ['b', 'v'], ['y'])],
    weights: [floats('w', [3, 3]), floats('v', [3, 3], scale)],
    inputs: [x()],
    outputs: [y([2, 3])]
  })

  test('single precision: nothing differs, and a weight that is off by a part in ten thousand fails', async () => {
    const right = await verified(mlp(1))
    expect(right).toMatchObject({ ok: true, maxAbsDiff: 0 })
    expect(right.outputs[0]!.tolerance).toMatchObject({ kind: 'float32', relative: 1e-5, absolute: 1e-7 })
    const wrong = await verified(mlp(1), mlp(1.0001))
    expect(wrong).toMatchObject({ ok: false })
    expect(wrong.maxRelDiff).toBeGreaterThan(5e-5)
  })

  const tiny = (offset: number): ModelParts => ({
    nodes: [node('Tanh', ['x'], ['a']), node('Mul', ['a', 'small'], ['b']), node('Add', ['b', 'k'], ['y'])],
    weights: [
      { name: 'small', dataType: T.FLOAT, dims: [], floatData: [1e-6] },
      { name: 'k', dataType: T.FLOAT, dims: [], floatData: [1e-6 + offset] }
    ],
    inputs: [x()],
    outputs: [y([2, 3])]
  })

  test('a tiny probability may be off by the rounding of the numbers that it comes from, not by more', async () => {
    const near = await verified(tiny(0), tiny(3e-8))
    expect(near.maxRelDiff).toBeGreaterThan(1e-2)
    expect(near.ok).toBe(true)
    expect((await verified(tiny(0), tiny(3e-7))).ok).toBe(false)
  })

  test('a model of tiny numbers throughout has no such floor', async () => {
    const faint = (scale: number): ModelParts => ({
      ...mlp(scale * 1e-9),
      nodes: [node('Mul', ['x', 'faint'], ['f']), node('MatMul', ['f', 'w'], ['a']), node('MatMul', ['a', 'v'], ['y'])],
      weights: [floats('w', [3, 3]), floats('v', [3, 3], scale), floats('faint', [1], 1)]
    })
    const { model, cuts, files } = await blockFiles(faint(1))
    const wrong = (await blockFiles(faint(2))).files.at(-1)!
    const data = new Uint8Array(Float32Array.from({ length: 6 }, (_, i) => 1e-12 * (i + 1)).buffer)
    const inputs = [[{ name: 'x', type: 'float32' as const, dims: [2, 3], data }]]
    const options = { now: () => 0, rounds: 1, inputs }
    expect((await verifyChain(model, cuts, files, openModel, options)).ok).toBe(true)
    expect((await verifyChain(model, cuts, [...files.slice(0, -1), wrong], openModel, options)).ok).toBe(false)
  })

  test('integers are exact: one that is off by one fails', async () => {
    const counted = (add: number): ModelParts => ({
      nodes: [
        node('Relu', ['x'], ['r']),
        node('Cast', ['r'], ['c'], [int('to', T.INT8)]),
        node('Add', ['c', 'k'], ['y'])
      ],
      weights: [bytesOf('k', T.INT8, [add], [])],
      inputs: [x()],
      outputs: [y([2, 3], T.INT8)]
    })
    const { ok, outputs } = await verified(counted(100))
    expect({ ok, kind: outputs[0]!.tolerance.kind }).toEqual({ ok: true, kind: 'exact' })
    expect((await verified(counted(100), counted(101))).ok).toBe(false)
  })

  const to = (type: T) => [int('to', type)]
  const F1 = (name: string, v: number): Weights => ({ name, dataType: T.FLOAT, dims: [], floatData: [v] })

  test('whole numbers that are made of halves may fall into the next step, on the line of halves; not further', async () => {
    const counted = (last: number, shift: number): ModelParts => ({
      ...halfMlp(last),
      nodes: [
        ...(halfMlp(last).nodes ?? []).slice(0, -1),
        node('Tanh', ['m7'], ['h']),
        node('Cast', ['h'], ['f'], to(T.FLOAT)),
        node('Mul', ['f', 'k'], ['m']),
        node('Add', ['m', 'o'], ['a']),
        node('Cast', ['a'], ['y'], to(T.INT32))
      ],
      weights: [...(halfMlp(last).weights ?? []), F1('k', 4e8), F1('o', shift)],
      outputs: [y([1, 32], T.INT32)]
    })
    const right = await verified(counted(0.2, 0))
    expect(right.outputs[0]).toMatchObject({ ok: true, tolerance: { kind: 'float16', steps: 1 } })
    expect(right.maxAbsDiff).toBeGreaterThan(0) // what exactness would not be allowed
    expect((await verified(counted(0.2, 0), counted(0.2, 4e3), 2)).ok).toBe(false)
  })

  test('an image in bytes may be off by one, not by two', async () => {
    const image = (offset: number): ModelParts => ({
      nodes: [
        node('MatMul', ['x', 'w'], ['a']),
        node('Sigmoid', ['a'], ['b']),
        node('Mul', ['b', 'k'], ['c']),
        node('Add', ['c', 'o'], ['d']),
        node('Round', ['d'], ['e']),
        node('Clip', ['e', 'o', 'k'], ['f']),
        node('Cast', ['f'], ['u'], to(T.UINT8)),
        node('Transpose', ['u'], ['y'])
      ],
      weights: [floats('w', [3, 3]), F1('k', 200), F1('o', offset)],
      inputs: [x()],
      outputs: [y([3, 2], T.UINT8)]
    })
    expect((await verified(image(0))).outputs[0]!.tolerance).toMatchObject({ kind: 'float32', steps: 1 })
    expect((await verified(image(0), image(1), 5)).ok).toBe(true)
    expect((await verified(image(0), image(2), 5)).ok).toBe(false)
  })

  const trained = [node('MatMul', ['x', 'w'], ['p']), node('Tanh', ['p'], ['t'])]
  const cast = node('Cast', ['t'], ['c'], to(T.INT32))
  const zero = bytesOf('z', T.UINT8, [128], [])
  const decision = (name: string): ModelParts['nodes'][number] =>
    node(
      'If',
      ['q'],
      [name],
      [
        body('then_branch', {
          name: 'then',
          node: [node('Cast', ['t'], ['in_then'], to(T.INT32))],
          output: [value('in_then', T.INT32)]
        }),
        body('else_branch', {
          name: 'else',
          node: [node('Cast', ['t'], ['made'], to(T.INT32)), node('Neg', ['made'], ['in_else'])],
          output: [value('in_else', T.INT32)]
        })
      ]
    )
  for (const [name, nodes, type, steps] of [
    ['a cast of arithmetic', [...trained, node('Cast', ['t'], ['y'], to(T.INT64))], T.INT64, 1],
    ['a quantiser', [...trained, node('QuantizeLinear', ['t', 's', 'z'], ['y'])], T.UINT8, 1],
    ['two that are summed', [...trained, cast, node('Add', ['c', 'c'], ['y'])], T.INT32, 2],
    [
      'one of two, as a comparison says',
      [...trained, cast, node('Greater', ['c', 'i'], ['q']), node('Where', ['q', 'c', 'i'], ['y'])],
      T.INT32,
      1
    ],
    [
      'through floats again',
      [...trained, cast, node('Cast', ['c'], ['g'], to(T.FLOAT)), node('Cast', ['g'], ['y'], to(T.INT8))],
      T.INT8,
      1
    ],
    [
      'a branch',
      [
        ...trained,
        node('ReduceMax', ['t'], ['r'], [int('keepdims', 0)]),
        node('Greater', ['r', 's'], ['q']),
        decision('y')
      ],
      T.INT32,
      1
    ],
    ['the place of the largest', [...trained, node('ArgMax', ['t'], ['y'])], T.INT64, 0],
    [
      'the place, through floats',
      [
        ...trained,
        node('ArgMax', ['t'], ['l']),
        node('Cast', ['l'], ['g'], to(T.FLOAT)),
        node('Cast', ['g'], ['y'], to(T.INT32))
      ],
      T.INT32,
      0
    ],
    ['places of the first', [...trained, node('TopK', ['t', 'one'], ['v', 'y'])], T.INT64, 0],
    ['a lookup', [...trained, node('ArgMax', ['t'], ['l']), node('Gather', ['table', 'l'], ['y'])], T.INT32, 0],
    [
      'a lookup by a number that was rounded',
      [...trained, node('Cast', ['t'], ['l'], to(T.INT64)), node('Gather', ['table', 'l'], ['y'])],
      T.INT32,
      0
    ],
    [
      'a comparison in numbers',
      [...trained, node('Greater', ['t', 's'], ['q']), node('Cast', ['q'], ['y'], to(T.INT32))],
      T.INT32,
      0
    ],
    ['a shape', [...trained, node('Shape', ['t'], ['y'])], T.INT64, 0],
    ['a cast of what was fed', [node('Relu', ['x'], ['r']), node('Cast', ['r'], ['y'], to(T.INT32))], T.INT32, 0],
    [
      'integers alone',
      [node('Cast', ['x'], ['j'], to(T.INT32)), node('Mul', ['j', 'i'], ['k']), node('Add', ['k', 'i'], ['y'])],
      T.INT32,
      0
    ]
  ] as const) {
    test(`integers: ${name}: ${steps === 0 ? 'exact' : `off by ${steps} at most, beside the line of floats`}`, async () => {
      const { outputs, ok } = await verified({
        nodes,
        weights: [
          floats('w', [3, 3]),
          F1('s', 0.05),
          zero,
          { name: 'i', dataType: T.INT32, dims: [], int32Data: [3] },
          { name: 'table', dataType: T.INT32, dims: [3n], int32Data: [7, 1, 900] },
          { name: 'one', dataType: T.INT64, dims: [1n], int64Data: [1n] }
        ].filter(({ name }) => nodes.some(({ input }) => (input as readonly string[]).includes(name!))),
        inputs: [x()],
        outputs: [y(undefined, type)]
      })
      const { kind, steps: allowed = 0 } = outputs[0]!.tolerance
      expect({ ok, kind, allowed }).toEqual({ ok: true, kind: steps === 0 ? 'exact' : 'float32', allowed: steps })
    })
  }

  test('which tolerance: by the output and by the arithmetic inside', async () => {
    const kindOf = async (parts: ModelParts) => (await verified(parts)).outputs[0]!.tolerance.kind
    const doubles = { nodes: chain('Relu', 'Exp'), inputs: [x([2, 3], T.DOUBLE)], outputs: [y([2, 3], T.DOUBLE)] }
    expect(await kindOf(doubles)).toBe('float64')
    const within = (type: T): ModelParts => ({
      nodes: [node('Cast', ['x'], ['h'], to(type)), node('Cast', ['h'], ['f'], to(T.FLOAT)), node('Exp', ['f'], ['y'])],
      inputs: [x()],
      outputs: [y([2, 3])]
    })
    expect(await kindOf(within(T.FLOAT16))).toBe('float16')
    expect(await kindOf(within(T.BFLOAT16))).toBe('bfloat16')
    const scale: Weights = { name: 's', dataType: T.FLOAT, dims: [], floatData: [0.05] }
    const quantised: ModelParts = {
      nodes: [node('QuantizeLinear', ['x', 's', 'z'], ['q']), node('DequantizeLinear', ['q', 's', 'z'], ['y'])],
      weights: [scale, zero],
      inputs: [x()],
      outputs: [y([2, 3])]
    }
    expect(await kindOf(quantised)).toBe('int8')
    const weightsOnly: ModelParts = {
      nodes: [
        node('DequantizeLinear', ['w', 's', 'z'], ['d']),
        node('MatMul', ['x', 'd'], ['m']),
        node('Exp', ['m'], ['y'])
      ],
      weights: [scale, zero, bytesOf('w', T.UINT8, [1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3])],
      inputs: [x()],
      outputs: [y([2, 3])]
    }
    expect(await kindOf(weightsOnly)).toBe('float32')
  })

  test('strings are exact', async () => {
    const named = (op: string): ModelParts => ({
      nodes: [node(op, ['x'], ['r']), node('Cast', ['r'], ['y'], [int('to', T.STRING)])],
      inputs: [value('x', T.FLOAT, [2, 3])],
      outputs: [y([2, 3], T.STRING)]
    })
    expect((await verified(named('Relu'))).outputs[0]).toMatchObject({ ok: true, tolerance: { kind: 'exact' } })
    const { model, cuts, files } = await blockFiles(named('Relu'))
    const other = (await blockFiles(named('Neg'))).files[0]!
    expect((await verifyChain(model, cuts, [other, files[1]!], openModel, { now: () => 0, rounds: 1 })).ok).toBe(false)
  })

  const sequence = (name: string) => ({
    name,
    type: { value: { case: 'sequenceType' as const, value: { elemType: value('', T.FLOAT).type } } }
  })
  const optional = (name: string) => ({
    name,
    type: { value: { case: 'optionalType' as const, value: { elemType: value('', T.FLOAT).type } } }
  })
  /** y = exp(relu(x)), beside ends that JavaScript cannot open. */
  const beside = (inputs: readonly unknown[], nodes: ModelParts['nodes'], outputs: readonly unknown[]): ModelParts => ({
    nodes: [node('Relu', ['x'], ['a']), node('Exp', ['a'], ['y']), ...nodes],
    inputs: [...(inputs as []), x()],
    outputs: [...(outputs as []), y([2, 3])],
    opset: 19
  })

  const negated = [node('Relu', ['x'], ['a']), node('Neg', ['a'], ['y'])]

  for (const [name, inputs, nodes, outputs] of [
    ['a bfloat16 output', [], [node('Cast', ['a'], ['h'], [int('to', T.BFLOAT16)])], [value('h', T.BFLOAT16)]],
    [
      'a bfloat16 output that says nothing of itself',
      [],
      [node('Cast', ['a'], ['h'], to(T.BFLOAT16))],
      [{ name: 'h' }]
    ],
    ['a float8 output', [], [node('Cast', ['a'], ['h'], [int('to', T.FLOAT8E4M3FN)])], [value('h', T.FLOAT8E4M3FN)]],
    ['an unread bfloat16 input', [value('z', T.BFLOAT16, ['n', 'm'])], [], []],
    ['an unread sequence', [sequence('z')], [], []],
    ['an unread optional', [optional('z')], [], []],
    ['all of these', [optional('z'), sequence('s'), value('b', T.FLOAT8E5M2, [1])], [], []],
    [
      'a bfloat16 input that leads to a bfloat16 output alone',
      [value('z', T.BFLOAT16, ['n'])],
      [node('Identity', ['z'], ['h'])],
      [value('h', T.BFLOAT16)]
    ],
    ['a node that reads it and leads nowhere', [value('z', T.BFLOAT16, ['n'])], [node('Identity', ['z'], ['h'])], []]
  ] as const) {
    test(`beside ${name}, the tensors are cut and compared`, async () => {
      const parts = beside(inputs, nodes, outputs)
      const { model, cuts, files } = await blockFiles(parts)
      const ends = [...inputs.map(() => 'input'), ...outputs.map(() => 'output')]
      expect(model.leftOut.map(({ end }) => end).sort()).toEqual(ends.sort())
      const { ok, maxAbsDiff, outputs: compared } = await verifyChain(model, cuts, files, openModel, options)
      expect({ ok, maxAbsDiff, names: compared.map(output => output.name) }).toEqual({
        ok: true,
        maxAbsDiff: 0,
        names: ['y']
      })
      const wrong = (await blockFiles({ ...beside([], [], []), nodes: negated })).files.at(-1)!
      expect((await verifyChain(model, cuts, [files[0]!, wrong], openModel, options)).ok).toBe(false)
    })
  }

  test('inputs and outputs whose names are not UTF-8 are compared under the names that we read', async () => {
    const bytes = Buffer.from(
      buildModel({
        nodes: [
          node('Sub', ['XX@', 'ZZ@'], ['a']),
          node('Exp', ['a'], ['b']),
          node('Neg', ['b'], ['YY@']),
          node('Abs', ['a'], ['WW@'])
        ],
        inputs: [value('XX@', T.FLOAT, [2, 3]), value('ZZ@', T.FLOAT, [2, 3])],
        outputs: [value('YY@', T.FLOAT, [2, 3]), value('WW@', T.FLOAT, [2, 3])]
      })
    )
    for (const [stand, byte] of Object.entries({ XX: 0xff, ZZ: 0xfe, YY: 0xff, WW: 0xfe }))
      for (let at = bytes.indexOf(`${stand}@`); at !== -1; at = bytes.indexOf(`${stand}@`))
        bytes.set([stand.charCodeAt(0), byte, byte], at)
    const file = fresh()
    writeFileSync(file, bytes)
    const { model, cuts, files } = await blockFiles(mlp(1), file)
    const { ok, maxAbsDiff, outputs } = await verifyChain(model, cuts, files, openModel, options)
    expect({ ok, maxAbsDiff }).toEqual({ ok: true, maxAbsDiff: 0 })
    expect(outputs.map(({ name }) => name)).toEqual(['Y\uFFFDff\uFFFDff', 'W\uFFFDfe\uFFFDfe'])
  })
})
