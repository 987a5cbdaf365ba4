import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TensorProto_DataType as T, TensorProto_DataLocation } from 'onnx-buf'
import { describe, expect, test } from 'vitest'
import { chain, chainDiffers, check, folder, save, study, x, y } from '../testing/cut-everywhere.ts'
import {
  body,
  bytesOf,
  floats,
  int,
  int64s,
  ints,
  type ModelParts,
  node,
  tensorAttribute,
  value,
  type Weights
} from '../testing/onnx-builder.ts'
import { activationsAt } from './cut-model.ts'
import { writeBlocks } from './files/write-blocks.ts'

const F = T.FLOAT

describe('a cut model computes what the whole computes', () => {
  test('a chain of nodes', () =>
    check({ nodes: chain('Relu', 'Exp', 'Neg', 'Tanh'), inputs: [x()], outputs: [y([2, 3])] }, { cutPoints: 3 }))

  test('a model of one node', async () => {
    const model = await check({ nodes: chain('Relu'), inputs: [x()], outputs: [y([2, 3])] }, { cutPoints: 0 })
    expect(model.cutPoints).toEqual([])
  })

  test('several inputs, one of them used late, and several outputs', () =>
    check(
      {
        nodes: [
          node('Relu', ['x'], ['a']),
          node('Exp', ['a'], ['b']),
          node('Add', ['b', 'late'], ['y']),
          node('Mul', ['y', 'a'], ['z'])
        ],
        inputs: [x(), value('late', F, [2, 3])],
        outputs: [y([2, 3]), value('z', F, [2, 3])]
      },
      { cutPoints: 3 }
    ))

  test('an output that is produced early travels beside the later blocks, not through them', async () => {
    const model = await check({
      nodes: [
        node('Relu', ['x'], ['early']),
        node('Exp', ['early'], ['a']),
        node('Neg', ['a'], ['b']),
        node('Tanh', ['b'], ['y'])
      ],
      inputs: [x()],
      outputs: [value('early', F, [2, 3]), y([2, 3])]
    })
    const blocks = await writeBlocks(model, [0, 1], async (_, chunks) => {
      for await (const _chunk of chunks);
    })
    expect(blocks[2]!.inputs).toEqual(['a'])
    expect(blocks[2]!.outputs).toEqual(['y'])
    expect(activationsAt(model, [0, 1])[2]!.tensors.map(t => t.name)).toEqual(['early', 'a'])
  })

  test('skip connections over several blocks', () =>
    check({
      nodes: [
        node('Relu', ['x'], ['a']),
        node('Exp', ['a'], ['b']),
        node('Neg', ['b'], ['c']),
        node('Add', ['c', 'a'], ['d']),
        node('Add', ['d', 'x'], ['y'])
      ],
      inputs: [x()],
      outputs: [y([2, 3])]
    }))

  test('an If whose branches capture outer tensors', () => {
    const branch = (op: string) => ({ name: op, node: [node(op, ['a', 'w'], ['r'])], output: [value('r', F, [2, 3])] })
    return check({
      nodes: [
        node('Relu', ['x'], ['a']),
        node('ReduceSum', ['a'], ['s'], [int('keepdims', 0)]),
        node('Greater', ['s', 'limit'], ['c']),
        node('Neg', ['x'], ['n']),
        node('If', ['c'], ['i'], [body('then_branch', branch('Add')), body('else_branch', branch('Mul'))]),
        node('Add', ['i', 'n'], ['y'])
      ],
      weights: [{ ...floats('limit', [], 0) }, floats('w', [2, 3])],
      inputs: [x()],
      outputs: [y([2, 3])]
    })
  })

  test('a Loop whose body captures outer tensors', () =>
    check({
      nodes: [
        node('Relu', ['x'], ['a']),
        node('Exp', ['a'], ['b']),
        node(
          'Loop',
          ['trips', 'go', 'b'],
          ['l'],
          [
            body('body', {
              name: 'body',
              input: [value('i', T.INT64, []), value('c', T.BOOL, []), value('v', F, [2, 3])],
              node: [
                node('Identity', ['c'], ['c2']),
                node('Mul', ['v', 'half'], ['h']),
                node('Add', ['h', 'a'], ['v2'])
              ],
              output: [value('c2', T.BOOL, []), value('v2', F, [2, 3])]
            })
          ]
        ),
        node('Tanh', ['l'], ['y'])
      ],
      weights: [int64s('trips', [3], []), bytesOf('go', T.BOOL, [1], []), floats('half', [1], 0.5)],
      inputs: [x()],
      outputs: [y([2, 3])]
    }))

  test('a Scan whose body captures outer tensors', () =>
    check({
      nodes: [
        node('Relu', ['x'], ['a']),
        node('ReduceMean', ['a'], ['m'], [ints('axes', [0]), int('keepdims', 0)]),
        node('Neg', ['m'], ['init']),
        node(
          'Scan',
          ['init', 'a'],
          ['last', 'all'],
          [
            int('num_scan_inputs', 1),
            body('body', {
              name: 'body',
              input: [value('state', F, [3]), value('row', F, [3])],
              node: [
                node('Add', ['state', 'row'], ['sum']),
                node('Mul', ['sum', 'm'], ['state2']),
                node('Identity', ['state2'], ['out'])
              ],
              output: [value('state2', F, [3]), value('out', F, [3])]
            })
          ]
        ),
        node('Add', ['all', 'last'], ['y'])
      ],
      inputs: [x()],
      outputs: [y([2, 3])]
    }))

  test('local functions, one calling another, cut inside of them', async () => {
    const opsetImport = [{ version: 17n }, { domain: 'mine', version: 1n }]
    const model = await check({
      nodes: [
        node('Relu', ['x'], ['a']),
        node('Twice', ['a'], ['b'], [], 'mine'),
        node('Neg', ['b'], ['c']),
        node('Four', ['c'], ['y'], [], 'mine')
      ],
      functions: [
        {
          name: 'Twice',
          domain: 'mine',
          input: ['p'],
          output: ['q'],
          node: [node('Add', ['p', 'p'], ['q'])],
          opsetImport
        },
        {
          name: 'Four',
          domain: 'mine',
          input: ['p'],
          output: ['q'],
          node: [node('Twice', ['p'], ['r'], [], 'mine'), node('Twice', ['r'], ['q'], [], 'mine')],
          opsetImport
        }
      ],
      domains: [{ domain: 'mine', version: 1 }],
      inputs: [x()],
      outputs: [y([2, 3])]
    })
    expect(model.cutPoints).toHaveLength(4)
  })

  test('optional inputs left empty', () =>
    check({
      nodes: [node('Relu', ['x'], ['a']), node('Clip', ['a', '', 'most'], ['b']), node('Neg', ['b'], ['y'])],
      weights: [floats('most', [], 0.4)],
      inputs: [x()],
      outputs: [y([2, 3])]
    }))

  test('constants from Constant, ConstantOfShape, Shape-of-constant chains and initializers', () =>
    check({
      nodes: [
        node('Constant', [], ['k'], [tensorAttribute(floats('', [2, 3], 0.3))]),
        node('Shape', ['k'], ['ks']),
        node('ConstantOfShape', ['ks'], ['ones'], [tensorAttribute(floats('', [1], 2))]),
        node('Add', ['k', 'ones'], ['k2']),
        node('Add', ['x', 'k'], ['a']),
        node('Mul', ['a', 'k2'], ['b']),
        node('Add', ['b', 'w'], ['c']),
        node('Sub', ['c', 'k2'], ['y'])
      ],
      weights: [floats('w', [2, 3])],
      inputs: [x()],
      outputs: [y([2, 3])]
    }))

  const cast = (to: T) => [int('to', to)]
  for (const [name, type] of [
    ['fp16', T.FLOAT16],
    ['int64', T.INT64],
    ['uint8', T.UINT8],
    ['bool', T.BOOL],
    ['double', T.DOUBLE],
    ['int32', T.INT32]
  ] as const) {
    test(`${name} activations`, async () => {
      const model = await check(
        {
          nodes: [
            node('Relu', ['x'], ['r']),
            node('Cast', ['r'], ['a'], cast(type)),
            node('Identity', ['a'], ['b']),
            node('Cast', ['b'], ['y'], cast(F))
          ],
          inputs: [x()],
          outputs: [y([2, 3])]
        },
        { cutPoints: 3 }
      )
      expect(model.facts.of('a').type).toBe(name === 'fp16' ? 'float16' : name === 'double' ? 'float64' : name)
    })
  }

  test('string activations', () =>
    check(
      {
        nodes: [
          node('Relu', ['x'], ['r']),
          node('Cast', ['r'], ['s'], cast(T.STRING)),
          node('Identity', ['s'], ['t']),
          node('Cast', ['t'], ['y'], cast(F))
        ],
        inputs: [x()],
        outputs: [y([2, 3])]
      },
      { cutPoints: 3 }
    ))

  const scale = (name: string): Weights => ({ name, dataType: F, dims: [], floatData: [0.05] })
  const zero = (name: string) => bytesOf(name, T.INT8, [0], [])
  test('a QDQ int8 model', () =>
    check(
      {
        nodes: [
          node('QuantizeLinear', ['x', 's', 'z'], ['q']),
          node('DequantizeLinear', ['q', 's', 'z'], ['d']),
          node('DequantizeLinear', ['w', 's', 'z'], ['wd']),
          node('MatMul', ['d', 'wd'], ['m']),
          node('QuantizeLinear', ['m', 's', 'z'], ['mq']),
          node('DequantizeLinear', ['mq', 's', 'z'], ['md']),
          node('Relu', ['md'], ['y'])
        ],
        weights: [scale('s'), zero('z'), bytesOf('w', T.INT8, [1, -2, 3, 4, 5, -6, 7, 8, 9], [3, 3])],
        inputs: [x()],
        outputs: [y([2, 3])]
      },
      { tolerance: 0.1 }
    )) // parting a QDQ group moves a value by one step at most; the chosen cuts never do

  test('a QOperator model', () =>
    check({
      nodes: [
        node('QuantizeLinear', ['x', 's', 'z'], ['q']),
        node('QLinearMatMul', ['q', 's', 'z', 'w', 's', 'z', 's', 'z'], ['m']),
        node('QLinearMatMul', ['m', 's', 'z', 'w', 's', 'z', 's', 'z'], ['n']),
        node('DequantizeLinear', ['n', 's', 'z'], ['y'])
      ],
      weights: [scale('s'), zero('z'), bytesOf('w', T.INT8, [1, -2, 3, 4, 5, -6, 7, 8, 9], [3, 3])],
      inputs: [x()],
      outputs: [y([2, 3])]
    }))

  test('dynamic dimensions, with a shape given for cutting and another one run', async () => {
    const shapes = new Map([['x', [1, 5]]])
    const model = await check(
      {
        nodes: [
          node('Relu', ['x'], ['a']),
          node('Shape', ['a'], ['s']),
          node('Neg', ['a'], ['b']),
          node('Reshape', ['b', 's'], ['c']),
          node('Exp', ['c'], ['y'])
        ],
        inputs: [x(['batch', 'width'])],
        outputs: [y(['batch', 'width'])]
      },
      { shapes }
    )
    expect(model.facts.of('c').dims).toEqual([1, 5])
    expect(model.facts.bytes('a')).toBe(20)
    const wider = { ...model, facts: { ...model.facts, inputShapes: new Map([['x', [4, 9]]]) } }
    expect(
      await chainDiffers(
        wider,
        model.cutPoints.map((_, i) => i)
      )
    ).toBe(0)
  })

  test('external data in one file and in several', async () => {
    const w1 = floats('w1', [64, 64], 0.1)
    const w2 = floats('w2', [64, 64], 0.1)
    const outside = (w: Weights, location: string, offset: number): Weights => ({
      name: w.name!,
      dataType: F,
      dims: w.dims!,
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: [
        { key: 'location', value: location },
        { key: 'offset', value: `${offset}` },
        { key: 'length', value: `${w.rawData!.length}` }
      ]
    })
    writeFileSync(join(folder, 'both.bin'), Buffer.concat([w1.rawData!, w2.rawData!]))
    writeFileSync(join(folder, 'one.bin'), w1.rawData!)
    writeFileSync(join(folder, 'two.bin'), w2.rawData!)
    const parts = (weights: readonly Weights[]): ModelParts => ({
      nodes: [node('MatMul', ['x', 'w1'], ['a']), node('Tanh', ['a'], ['b']), node('MatMul', ['b', 'w2'], ['y'])],
      weights,
      inputs: [x([1, 64])],
      outputs: [y([1, 64])]
    })
    await check(parts([outside(w1, 'both.bin', 0), outside(w2, 'both.bin', w1.rawData!.length)]))
    const model = await check(parts([outside(w1, 'one.bin', 0), outside(w2, 'two.bin', 0)]))
    const blocks = await writeBlocks(model, [1], async (_, chunks) => {
      for await (const _chunk of chunks);
    })
    for (const block of blocks) expect(block.bytes).toBeLessThan(1.2 * w1.rawData!.length) // each weight in one block
  })

  test('a weight shared by two layers is in both blocks, and nowhere else', async () => {
    const model = await check({
      nodes: [
        node('MatMul', ['x', 'w'], ['a']),
        node('Tanh', ['a'], ['b']),
        node('MatMul', ['b', 'w'], ['c']),
        node('Relu', ['c'], ['y'])
      ],
      weights: [floats('w', [32, 32], 0.2)],
      inputs: [x([1, 32])],
      outputs: [y([1, 32])]
    })
    const all = model.cutPoints.map((_, i) => i)
    const blocks = await writeBlocks(model, all, async (_, chunks) => {
      for await (const _chunk of chunks);
    })
    expect(blocks.map(block => block.bytes > 32 * 32 * 4)).toEqual([true, false, true, false])
  })

  test('names that clash inside and outside bodies', () => {
    const branch = (op: string) => ({ name: op, node: [node(op, ['a'], ['t'])], output: [value('t', F, [2, 3])] })
    return check({
      nodes: [
        node('Relu', ['x'], ['a']),
        node('ReduceSum', ['a'], ['s'], [int('keepdims', 0)]),
        node('Cast', ['s'], ['c'], cast(T.BOOL)),
        node('If', ['c'], ['if1'], [body('then_branch', branch('Exp')), body('else_branch', branch('Neg'))]),
        node('If', ['c'], ['if2'], [body('then_branch', branch('Neg')), body('else_branch', branch('Exp'))]),
        node('Add', ['if1', 'if2'], ['y'])
      ],
      inputs: [x()],
      outputs: [y([2, 3])]
    })
  })

  test('an opset-7 model, its initializers also listed as inputs', () =>
    check({
      nodes: [
        node('MatMul', ['x', 'w'], ['a']),
        node('Add', ['a', 'b'], ['c']),
        node('Relu', ['c'], ['d']),
        node('Softmax', ['d'], ['y'])
      ],
      weights: [floats('w', [3, 4]), floats('b', [4])],
      opset: 7,
      irVersion: 3,
      inputs: [x(), value('w', F, [3, 4]), value('b', F, [4])],
      outputs: [y([2, 4])]
    }))

  test('an output that is an input, one that is a constant, and nodes in any order with dead ones among them', () =>
    check({
      nodes: [
        node('Neg', ['b'], ['y']),
        node('Exp', ['a'], ['dead']),
        node('Exp', ['a'], ['b']),
        node('Relu', ['x'], ['a']),
        node('Constant', [], ['k'], [tensorAttribute(floats('', [2]))])
      ],
      inputs: [x(), value('through', F, [2, 3])],
      outputs: [y([2, 3]), value('k', F, [2])]
    }))

  test('random nodes are never copied: their tensor crosses instead', async () => {
    const model = await study(
      save({
        nodes: [node('RandomNormalLike', ['x'], ['r']), node('Add', ['x', 'r'], ['a']), node('Sub', ['a', 'r'], ['y'])],
        inputs: [x()],
        outputs: [y([2, 3])]
      })
    )
    expect(activationsAt(model, [1])[1]!.tensors.map(t => t.name)).toEqual(['r', 'a'])
  })

  test('the same model and cuts give the same bytes', async () => {
    const parts: ModelParts = { nodes: chain('Relu', 'Exp', 'Neg'), inputs: [x()], outputs: [y([2, 3])] }
    const hashes = async () =>
      (
        await writeBlocks(await study(save(parts)), [0, 1], async (_, chunks) => {
          for await (const _chunk of chunks);
        })
      ).map(b => b.sha256)
    expect(await hashes()).toEqual(await hashes())
  })
})
