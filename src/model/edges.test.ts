import { readFileSync, writeFileSync } from 'node:fs'
import { fromBinary } from '@bufbuild/protobuf'
import { ModelProtoSchema, TensorProto_DataType as T } from 'onnx-buf'
import { describe, expect, test } from 'vitest'
import { openModel } from '../runtime/onnx/open-model.ts'
import { chain, check, exactEverywhere, fresh, none, save, study, x, y } from '../testing/cut-everywhere.ts'
import { body, buildModel, floats, int, int64s, ints, node, tensorAttribute, value } from '../testing/onnx-builder.ts'
import { chooseCuts } from './choose-cuts.ts'
import { activationsAt, cutsForParts, untravellingEnds, withAllCutPoints } from './cut-model.ts'
import { readOnnxFile } from './files/read-onnx-file.ts'
import { studyModel } from './files/study-model.ts'
import { writeBlocks } from './files/write-blocks.ts'

const F = T.FLOAT
const to = (type: T) => [int('to', type)]

/** The blocks of a model that is cut everywhere, parsed. */
const blocksOf = async (file: string) => {
  const model = await study(file)
  const bytes: Uint8Array[] = []
  await writeBlocks(
    model,
    model.cutPoints.map((_, i) => i),
    async (index, chunks) => {
      const pieces: Uint8Array[] = []
      for await (const chunk of chunks) pieces.push(chunk)
      bytes[index] = Buffer.concat(pieces)
    }
  )
  return bytes.map(block => fromBinary(ModelProtoSchema, block))
}

describe('edges of the format', () => {
  test('a body inside a body captures from the outermost graph', () => {
    const inner = (op: string) => ({ name: op, node: [node(op, ['a', 'k'], ['r'])], output: [value('r', F, [2, 3])] })
    const outer = (op: string) => ({
      name: `outer${op}`,
      node: [node('If', ['c'], ['s'], [body('then_branch', inner(op)), body('else_branch', inner('Sub'))])],
      output: [value('s', F, [2, 3])]
    })
    return check(
      {
        nodes: [
          node('Relu', ['x'], ['a']),
          node('ReduceMax', ['x'], ['m'], [int('keepdims', 0)]),
          node('Cast', ['m'], ['c'], to(T.BOOL)),
          node('Exp', ['x'], ['b']),
          node('If', ['c'], ['d'], [body('then_branch', outer('Add')), body('else_branch', outer('Mul'))]),
          node('Add', ['b', 'd'], ['y'])
        ],
        weights: [floats('k', [2, 3])],
        inputs: [x()],
        outputs: [y([2, 3])]
      },
      { cutPoints: 4 }
    )
  })

  test('bfloat16 inside: never cut across, everything around it is', async () => {
    const model = await check(
      {
        nodes: [
          node('Relu', ['x'], ['a']),
          node('Cast', ['a'], ['b16'], to(T.BFLOAT16)),
          node('Cast', ['b16'], ['c'], to(F)),
          node('Exp', ['c'], ['y'])
        ],
        inputs: [x()],
        outputs: [y([2, 3])]
      },
      { cutPoints: 2 }
    )
    expect(model.cutPoints.map(c => c.tensors)).toEqual([['a'], ['c']])
  })

  test('a sequence inside is never cut across; a sequence as output leaves one block that cannot be served', async () => {
    const nodes = [
      node('Relu', ['x'], ['a']),
      node('SequenceConstruct', ['a', 'x'], ['s']),
      node('SequenceAt', ['s', 'i'], ['b']),
      node('Neg', ['b'], ['y'])
    ]
    const weights = [int64s('i', [0], [])]
    const model = await check({ nodes, weights, inputs: [x()], outputs: [y()] })
    expect(model.cutPoints.map(c => c.tensors)).toEqual([['x', 'a'], ['b']])
    expect(untravellingEnds(model)).toEqual([])
    const file = save({ nodes, weights, inputs: [x()], outputs: [y()] })
    const graph = fromBinary(ModelProtoSchema, readFileSync(file)).graph!
    const out = fresh()
    const sequence = {
      name: 's',
      type: { value: { case: 'sequenceType' as const, value: { elemType: value('', F).type } } }
    }
    writeFileSync(out, buildModel({ nodes: graph.node, weights, inputs: [x()], outputs: [sequence as never] }))
    expect(untravellingEnds(await study(out))).toEqual(['s'])
  })

  test('a version 3 model stays one: what blocks hold is listed among their inputs', async () => {
    const file = save({
      nodes: [node('MatMul', ['x', 'w'], ['a']), node('Relu', ['a'], ['b']), node('MatMul', ['b', 'v'], ['y'])],
      weights: [floats('w', [3, 3]), floats('v', [3, 3])],
      opset: 7,
      irVersion: 3,
      inputs: [x(), value('w', F, [3, 3]), value('v', F, [3, 3])],
      outputs: [y([2, 3])]
    })
    const blocks = await blocksOf(file)
    expect(blocks.map(b => b.graph!.input.map(i => i.name))).toEqual([['x', 'w'], ['a'], ['b', 'v']])
    expect(blocks.map(b => b.graph!.initializer.map(t => t.name))).toEqual([['w'], [], ['v']])
    await exactEverywhere(await study(file))
  })

  test('weights that are also inputs in a later version keep their values', () =>
    check({
      nodes: [node('Add', ['x', 'w'], ['a']), node('Relu', ['a'], ['y'])],
      weights: [floats('w', [2, 3])],
      inputs: [x(), value('w', F, [2, 3])],
      outputs: [y([2, 3])]
    }))

  test('no nodes at all: an input handed through, a weight as output', async () => {
    await check({ nodes: [], inputs: [x()], outputs: [x()] }, { cutPoints: 0 })
    await check({ nodes: [], weights: [floats('w', [2])], inputs: [], outputs: [value('w', F, [2])] }, { cutPoints: 0 })
  })

  test('everything constant; no input', () =>
    check(
      {
        nodes: [
          node('Constant', [], ['k'], [tensorAttribute(floats('', [2, 3]))]),
          node('Exp', ['k'], ['l']),
          node('Add', ['l', 'w'], ['y'])
        ],
        weights: [floats('w', [2, 3])],
        inputs: [],
        outputs: [y([2, 3])]
      },
      { cutPoints: 0 }
    ))

  test('weights in typed fields, large constants in nodes', () =>
    check({
      nodes: [
        node('Constant', [], ['big'], [tensorAttribute(floats('', [64, 64], 0.1))]),
        node('MatMul', ['x', 'big'], ['a']),
        node('Add', ['a', 'typed'], ['b']),
        node('MatMul', ['b', 'big'], ['c']),
        node('Relu', ['c'], ['y'])
      ],
      weights: [
        { name: 'typed', dataType: F, dims: [1n, 64n], floatData: Array.from({ length: 64 }, (_, i) => i / 64) }
      ],
      inputs: [x([2, 64])],
      outputs: [y([2, 64])]
    }))

  test('nodes without names, an output left empty, tensors that nobody reads', () =>
    check({
      nodes: [
        node('Relu', ['x'], ['a']),
        node('Dropout', ['a'], ['b', '']),
        node('TopK', ['b', 'k'], ['t', 'unread']),
        node('Neg', ['t'], ['y'])
      ],
      weights: [int64s('k', [2])],
      inputs: [x()],
      outputs: [y([2, 2])]
    }))

  test('nothing is known of the rank of an input but what --shape says', async () => {
    const file = save({ nodes: chain('Relu', 'Exp', 'Neg'), inputs: [value('x', F)], outputs: [y()] })
    await expect(studyModel(file, none, openModel)).rejects.toThrow(/declares no shape.*shape x=/)
    const model = await study(file, new Map([['x', [4, 5]]]))
    expect(model.cutPoints.map(c => c.bytes)).toEqual([80, 80])
    await exactEverywhere(model)
  })

  test('a dimension given for one input holds for another that names it', async () => {
    const file = save({
      nodes: [node('Add', ['x', 'z'], ['a']), node('Relu', ['a'], ['y'])],
      inputs: [x(['n', 'w']), value('z', F, ['n', 'w'])],
      outputs: [y(['n', 'w'])]
    })
    const model = await study(file, new Map([['x', [2, 7]]]))
    expect(model.facts.inputShapes.get('z')).toEqual([2, 7])
    const both = new Map([
      ['x', [2, 7]],
      ['z', [2, 8]]
    ])
    await expect(study(file, both)).rejects.toThrow(/shape z=2x8 makes dimension "w" 8, another shape 7/)
  })

  test('a run that made-up input fails leaves sizes unknown, and the model is still cut', async () => {
    const model = await study(
      save({
        nodes: [
          node('Reshape', ['x', 'shape'], ['a']), // zeros and ones are no shape for six elements
          node('Relu', ['a'], ['b']),
          node('Exp', ['b'], ['y'])
        ],
        inputs: [x(), value('shape', T.INT64, [1])],
        outputs: [y()]
      })
    )
    expect(model.cutPoints.map(c => [c.tensors, c.bytes])).toEqual([
      [['a'], 0],
      [['b'], 0]
    ])
    expect(activationsAt(model, [0])[1]!.tensors[0]!.type).toBe('float32')
  })

  test('a shape that inference accepts and the model does not names the flag', async () => {
    const file = save({
      nodes: [node('MatMul', ['x', 'w'], ['a']), node('Relu', ['a'], ['y'])],
      weights: [floats('w', [3, 3])],
      inputs: [x(['n', 'm'])],
      outputs: [y()]
    })
    await expect(studyModel(file, new Map([['x', [2, 5]]]), openModel)).rejects.toThrow(/shape x=2x5: .*try another/)
  })
})

describe('choosing', () => {
  test('more parts than good places: bad ones serve; more than there are at all is refused', async () => {
    const file = save({
      nodes: [node('MatMul', ['x', 'w'], ['a']), node('Add', ['a', 'w'], ['b']), node('Relu', ['b'], ['y'])],
      weights: [floats('w', [3, 3])],
      inputs: [x([3, 3])],
      outputs: [y([3, 3])]
    })
    const model = withAllCutPoints(await studyModel(file, none, openModel))
    expect(cutsForParts(model, 3)).toHaveLength(2)
    expect(() => cutsForParts(model, 4)).toThrow(/at most 3 parts/)
  })

  test('a mask made at the start and read in every layer hinders no cut', async () => {
    const layers = Array.from({ length: 30 }, (_, i) => [
      node('MatMul', [i === 0 ? 'x' : `r${i - 1}`, 'w'], [`m${i}`]),
      node('Add', [`m${i}`, 'mask'], [`a${i}`]),
      node('Relu', [`a${i}`], [i === 29 ? 'y' : `r${i}`])
    ])
    const file = save({
      nodes: [node('ReduceMax', ['x'], ['mask'], [ints('axes', [1])]), ...layers.flat()],
      weights: [floats('w', [3, 3], 0.1)],
      inputs: [x()],
      outputs: [y([2, 3])]
    })
    const model = await studyModel(file, none, openModel)
    expect(model.cutPoints.length).toBeGreaterThanOrEqual(20)
  })

  test('even work where all crossings are alike, the narrow place where they are not', () => {
    const point = (position: number, bytes: number) => ({ position, tensors: ['t'], bytes, burden: bytes })
    const work = Array.from({ length: 8 }, () => 1e-3)
    const alike = Array.from({ length: 7 }, (_, i) => point(i + 1, 1000))
    expect(chooseCuts(alike, work, work, 4)).toEqual([1, 3, 5])
    const narrow = alike.map(p => point(p.position, p.position === 5 ? 1000 : 4e6))
    expect(chooseCuts(narrow, work, work, 2)).toEqual([4])
  })
})

test('a model is known by its own bytes, and with its external data by all of them', async () => {
  const file = save({ nodes: chain('Relu'), inputs: [x()], outputs: [y([2, 3])] })
  const { sha256, identity } = await readOnnxFile(file)
  expect(identity).toBe(sha256)
})
