import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { TensorProto_DataType as T } from 'onnx-buf'
import { describe, expect, test } from 'vitest'
import { openModel } from '../runtime/onnx/open-model.ts'
import { chain, exactEverywhere, fresh, none, save, study, x, y } from '../testing/cut-everywhere.ts'
import { body, type Dims, floats, int, int64s, ints, type ModelParts, node, value } from '../testing/onnx-builder.ts'
import { activationsAt } from './cut-model.ts'
import { studyModel } from './files/study-model.ts'
import { writeBlocks } from './files/write-blocks.ts'
import { makeBlocks } from './make-blocks.ts'
import { runChain } from './run-chain.ts'
import { declaredDims } from './tensor-type.ts'

const F = T.FLOAT
const shape = (dims: readonly number[], name = 'x') => new Map([[name, dims]])
const positions = (model: Awaited<ReturnType<typeof study>>) => model.cutPoints.map(cut => cut.position)

/** Cut everywhere at one shape, and run at others: the chain does what plain ONNX Runtime does with the file. */
const sameAt = async (parts: ModelParts, cut: Dims, ...run: (readonly number[])[]) => {
  const model = await study(save(parts), shape(cut as readonly number[]))
  expect(model.cutPoints.length).toBeGreaterThan(0)
  for (const dims of [cut as readonly number[], ...run]) await exactEverywhere(model, 0, shape(dims))
  return model
}

describe('every value that a dimension may have in a file', () => {
  const FREE: readonly Dims[number][] = [-1, -5, -(2n ** 63n), '', '?', '-1', 'None', 'größe', ' ', null, 'N']
  test.each(FREE.map(d => [d]))('%s stands for any size', async d => {
    const parts = (input: Dims, output: Dims, inside: Dims): ModelParts => ({
      nodes: chain('Relu', 'Exp', 'Neg'),
      inputs: [x(input)],
      outputs: [y(output)],
      claims: [value('t1', F, inside), value('t2', F, inside)]
    })
    const model = await sameAt(parts([d, 4], [d, 4], [d, 4]), [3, 4], [5, 4])
    expect(model.cutPoints.map(cut => cut.bytes)).toEqual([48, 48])
    await sameAt(parts(['M', 4], [d, 4], [d, d]), [3, 4], [1, 4])
    const isName = d === 'N' || d === 'größe' // what exporters write for "any" may stand twice in one shape
    await sameAt(parts([d, isName ? 'M' : d], ['M', 4], ['M', 4]), [3, 4], [2, 6])
  })

  test.each([[0], [1], [7], [2n ** 40n], [2n ** 63n - 1n]])(
    '%s is believed of an input, and of nothing else',
    async d => {
      const claiming: ModelParts = {
        nodes: chain('Relu', 'Exp', 'Neg'),
        inputs: [x(['N', 4])],
        outputs: [y([d, 4])],
        claims: [value('t1', F, [d, 4]), value('t2', F, [4, d])]
      }
      const model = await sameAt(claiming, [3, 4], [5, 4])
      expect(model.cutPoints.map(cut => cut.bytes)).toEqual([48, 48])
      const fixed = save({ nodes: chain('Relu', 'Exp'), inputs: [x([d, 4])], outputs: [y()] })
      if (d <= 7) expect((await study(fixed)).facts.of('t1').shape).toEqual([Number(d), 4])
      else await expect(study(fixed)).rejects.toThrow(/input "x" declares \[\d+, 4\], more than \d+ elements/)
      await expect(study(fixed, shape([3, 4]))).rejects.toThrow(/shape x=3x4 does not fit/)
    }
  )

  test('in bodies and functions', async () => {
    // What is fixed in a branch ONNX Runtime holds it to.
    for (const [d, inFunction] of [
      [-1, 0],
      ['?', 2n ** 40n],
      [null, 1]
    ] as const) {
      const branch = (op: string) => ({
        name: op,
        node: [node(op, ['a', 'w'], [`${op}r`]), node('Relu', [`${op}r`], ['r'])],
        output: [value('r', F, [d, 4])],
        valueInfo: [value(`${op}r`, F, [d, d])]
      })
      const named = node('Twice', ['b'], ['c'], [], 'own')
      await sameAt(
        {
          nodes: [
            node('Relu', ['x'], ['a']),
            node('ReduceMax', ['x'], ['m'], [int('keepdims', 0)]),
            node('Cast', ['m'], ['yes'], [int('to', T.BOOL)]),
            node('If', ['yes'], ['b'], [body('then_branch', branch('Add')), body('else_branch', branch('Sub'))]),
            named,
            node('Exp', ['c'], ['y'])
          ],
          functions: [
            {
              name: 'Twice',
              domain: 'own',
              input: ['u'],
              output: ['v'],
              opsetImport: [{ version: 17n }],
              node: [node('Add', ['u', 'u'], ['s']), node('Neg', ['s'], ['v'])],
              valueInfo: [value('s', F, [inFunction, 4])]
            }
          ],
          irVersion: 10,
          domains: [{ domain: 'own', version: 1 }],
          weights: [floats('w', [4])],
          inputs: [x(['N', 4])],
          outputs: [y()]
        },
        [3, 4],
        [5, 4]
      )
    }
  })

  test('a weight of a negative dimension is refused as ONNX Runtime refuses it', async () => {
    const file = save({
      nodes: [node('Add', ['x', 'w'], ['y'])],
      weights: [{ name: 'w', dataType: F, dims: [-1n, 4n], floatData: [1, 2, 3, 4] }],
      inputs: [x(['N', 4])],
      outputs: [y()]
    })
    await expect(openModel(file)).rejects.toThrow()
    await expect(study(file)).rejects.toThrow(/^[^\n]*does not open it[^\n]*dimensions[^\n]*$/)
  })
})

describe('stale static shapes', () => {
  /** As exporters leave it when only the input is made dynamic. */
  const stale: ModelParts = {
    nodes: [
      node('Conv', ['x', 'k'], ['c']),
      node('Relu', ['c'], ['r']),
      node('MaxPool', ['r'], ['p'], [ints('kernel_shape', [2, 2]), ints('strides', [2, 2])]),
      node('GlobalAveragePool', ['p'], ['g']),
      node('Flatten', ['g'], ['f']),
      node('Gemm', ['f', 'w'], ['y'])
    ],
    weights: [floats('k', [8, 3, 1, 1]), floats('w', [8, 5])],
    inputs: [x(['N', 3, 8, 8])],
    outputs: [y([1, 5]), value('r', F, [1, 8, 8, 8])],
    claims: [value('c', F, [1, 8, 8, 8]), value('p', F, [1, 8, 4, 4]), value('f', F, [1, 8])]
  }

  test('value_info, and outputs that are read on: any batch runs, and sizes are those of --shape', async () => {
    const model = await sameAt(stale, [2, 3, 8, 8], [1, 3, 8, 8], [3, 3, 8, 8])
    expect(model.facts.bytes('p')).toBe(2 * 8 * 4 * 4 * 4)
    expect(activationsAt(model, []).map(({ bytes }) => bytes)).toEqual([2 * 3 * 64 * 4, (2 * 5 + 2 * 8 * 64) * 4])
  })

  test('blocks say of what crosses what inference proves, and no more', async () => {
    const model = await study(save(stale), shape([2, 3, 8, 8]))
    const blocks = makeBlocks(model.analysis, model.facts, positions(model))
    const told = blocks.flatMap(({ model: { graph } }) =>
      [...graph!.input, ...graph!.output].map(({ name, type }) => `${name} ${declaredDims(type!)?.join()}`)
    )
    expect([...new Set(told)]).toEqual([
      'x N,3,8,8',
      'c N,8,8,8',
      'r N,8,8,8',
      'p N,8,4,4',
      'g N,8,1,1',
      'f N,8',
      'y N,5'
    ])
  })

  test('a claim that a Shape reads: the whole folds what is false, the chain gives the shape of its data', async () => {
    const parts: ModelParts = {
      nodes: [
        node('Relu', ['x'], ['a']),
        node('Shape', ['a'], ['s']),
        node('Exp', ['a'], ['e']),
        node('Neg', ['e'], ['n']),
        node('Shape', ['n'], ['t']),
        node('Add', ['s', 't'], ['y'])
      ],
      inputs: [x(['N', 4])],
      outputs: [y(undefined, T.INT64)],
      claims: ['a', 'e', 'n'].map(name => value(name, F, [1, 4]))
    }
    const model = await study(save(parts), shape([2, 4]))
    const data = { name: 'x', type: 'float32' as const, dims: [3, 4], data: new Uint8Array(48) }
    const all = model.cutPoints.map((_, i) => i)
    for (const cuts of [[], ...all.map(i => [i]), all]) {
      const files: string[] = []
      await writeBlocks(model, cuts, async (index, chunks) => {
        files[index] = fresh()
        await pipeline(Readable.from(chunks), createWriteStream(files[index]))
      })
      const blocks = await Promise.all(files.map(file => openModel(file)))
      const keep = activationsAt(model, cuts).map(({ tensors }) => tensors.map(({ name }) => name))
      const [made] = await runChain(blocks, keep.slice(1), [data])
      await Promise.all(blocks.map(block => block.close()))
      expect([...new BigInt64Array(made!.data.slice().buffer)], `cut at ${cuts}`).toEqual([6n, 8n])
    }
  })

  test('a wrong rank, and what data decide', async () => {
    const model = await sameAt(
      {
        nodes: [
          node('NonZero', ['x'], ['nz']),
          node('Cast', ['nz'], ['c'], [int('to', F)]),
          node('Relu', ['c'], ['r']),
          node('Neg', ['r'], ['y'])
        ],
        inputs: [x(['N', 4])],
        outputs: [y([2, 3])],
        claims: [value('nz', T.INT64, [2, 3]), value('c', F, [7]), value('r', F, [2, 1, 3])]
      },
      [2, 4],
      [5, 4]
    )
    expect(model.facts.of('r').shape).toEqual([2, null])
  })

  test('where inference and a run tell no size, the claim is better than nothing, unless it is nonsense', async () => {
    const model = await study(
      save({
        nodes: [
          node('Reshape', ['x', 'shape'], ['a']), // zeros and ones are no shape for six elements
          node('Relu', ['a'], ['b']),
          node('Exp', ['b'], ['y'])
        ],
        inputs: [x(), value('shape', T.INT64, [1])],
        outputs: [y()],
        claims: [value('a', F, [6]), value('b', F, [2n ** 40n, 2])]
      })
    )
    expect(model.cutPoints.map(cut => cut.bytes)).toEqual([24, 0])
    expect(model.facts.of('a').shape).toEqual([null])
  })

  test('Loop and Scan whose bodies claim a batch', () =>
    sameAt(
      {
        nodes: [
          node('Relu', ['x'], ['a']),
          node(
            'Loop',
            ['trips', '', 'a'],
            ['l'],
            [
              body('body', {
                name: 'body',
                input: [value('i', T.INT64, []), value('go', T.BOOL, []), value('v', F, [1, 4])],
                node: [node('Identity', ['go'], ['on']), node('Add', ['v', 'a'], ['v2'])],
                output: [value('on', T.BOOL, []), value('v2', F, [1, 4])]
              })
            ]
          ),
          node('Neg', ['l'], ['n']),
          node('Exp', ['n'], ['y'])
        ],
        weights: [int64s('trips', [2], [])],
        inputs: [x(['N', 4])],
        outputs: [y([1, 4])],
        claims: [value('l', F, [1, 4])]
      },
      [2, 4],
      [3, 4]
    ))
})

describe('inputs without a rank, scalars and empty tensors', () => {
  test('no declared rank: any shape runs, whatever the model was cut at', () =>
    sameAt({ nodes: chain('Relu', 'Exp', 'Neg'), inputs: [value('x', F)], outputs: [y()] }, [2, 4], [7], [2, 1, 3], []))

  test('a declared scalar: ONNX Runtime takes any shape there, and so do blocks', () =>
    sameAt(
      {
        nodes: [
          node('Relu', ['x'], ['a']),
          node('Unsqueeze', ['a', 'axes'], ['b']),
          node('Neg', ['b'], ['c']),
          node('Exp', ['c'], ['y'])
        ],
        weights: [int64s('axes', [0])],
        inputs: [x([])],
        outputs: [y([1])]
      },
      [],
      [1],
      [3, 4]
    ))

  test('--shape scalar where no rank is declared', async () => {
    const file = save({ nodes: chain('Relu', 'Exp'), inputs: [value('x', F)], outputs: [y()] })
    const model = await study(file, shape([]))
    expect([model.facts.inputShapes.get('x'), model.facts.bytes('t1')]).toEqual([[], 4])
    await exactEverywhere(model)
    const matrix = save({ nodes: chain('Relu', 'Exp'), inputs: [x(['N', 4])], outputs: [y()] })
    await expect(study(matrix, shape([]))).rejects.toThrow(/shape x=scalar does not fit: .* declares \[N, 4\]/)
  })

  test('an empty past beside one new step', async () => {
    const file = save({
      nodes: [
        node('Concat', ['past', 'x'], ['all'], [int('axis', 1)]),
        node('Neg', ['past'], ['empty']),
        node('Exp', ['all'], ['y'])
      ],
      inputs: [value('past', F, [1, 'P', 8]), x([1, 'S', 8])],
      outputs: [y(), value('empty', F)]
    })
    const at = (p: number, s: number) =>
      new Map([
        ['past', [1, p, 8]],
        ['x', [1, s, 8]]
      ])
    const model = await study(file, at(0, 1))
    expect(activationsAt(model, [])[0]!.bytes).toBe(32)
    for (const shapes of [at(0, 1), at(3, 1), at(0, 0)]) await exactEverywhere(model, 0, shapes)
  })
})

describe('a dimension that two inputs name', () => {
  const adding = (d: string): ModelParts => ({
    nodes: [node('Concat', ['x', 'z'], ['a'], [int('axis', 0)]), node('Relu', ['a'], ['y'])],
    inputs: [x([d, 4]), value('z', F, [d, 4])],
    outputs: [y()]
  })

  test.each([['?'], ['-1'], ['None'], [''], ['unk']])('"%s" is no name: the inputs may differ', async d => {
    const shapes = new Map([
      ['x', [2, 4]],
      ['z', [3, 4]]
    ])
    await exactEverywhere(await study(save(adding(d)), shapes))
  })

  test('one name: given once, known for both, whichever input says it', async () => {
    for (const name of ['x', 'z'])
      expect((await study(save(adding('rows')), shape([6, 4], name))).facts.inputShapes).toEqual(
        new Map([
          ['x', [6, 4]],
          ['z', [6, 4]]
        ])
      )
  })
})

describe('a batch of one where only a leading dimension is open', () => {
  const open = (dims: readonly (readonly (number | string | null)[])[]): string =>
    save({
      nodes: [
        ...dims.map((_, i) => node('Flatten', [`x${i}`], [`f${i}`], [int('axis', 0)])),
        node(
          'Concat',
          dims.map((_, i) => `f${i}`),
          ['a'],
          [int('axis', 1)]
        ),
        node('Relu', ['a'], ['y'])
      ],
      inputs: dims.map((d, i) => value(`x${i}`, F, d)),
      outputs: [y()]
    })
  const shapesOf = async (
    dims: readonly (readonly (number | string | null)[])[],
    given: ReadonlyMap<string, readonly number[]> = none
  ): Promise<readonly (readonly number[])[]> => [...(await study(open(dims), given)).facts.inputShapes.values()]

  test('is known of the other inputs that name it, in any order', async () => {
    const product = [
      ['n', 'k'],
      ['k', 'm'],
      ['m', 'n']
    ] as const
    expect(await shapesOf(product, shape([3, 4], 'x1'))).toEqual([
      [1, 3],
      [3, 4],
      [4, 1]
    ])
    expect(await shapesOf([['m', 'n'], ['n', 'k'], ['k', 2], [5]])).toEqual([[1, 1], [1, 1], [1, 2], [5]])
    expect(await shapesOf([['n', 'n'], ['n']])).toEqual([[1, 1], [1]])
  })

  test('says nothing of a dimension without a name, and nothing against a given shape', async () => {
    await expect(shapesOf([['?'], [2, '?']])).rejects.toThrow(/input "x1" has the dynamic shape \[2, \?\]; fix it/)
    await expect(shapesOf([[null], [null, null]])).rejects.toThrow(/input "x1" has the dynamic shape/)
    expect(await shapesOf([['n'], [2, 'n']], shape([2, 7], 'x1'))).toEqual([[7], [2, 7]])
    await expect(shapesOf([['n', 'k']])).rejects.toThrow(/input "x0" has the dynamic shape \[n, k\]; .*shape x0=1x16/)
  })
})

describe('what is no tensor', () => {
  const sequence = (name: string) => ({
    name,
    type: { value: { case: 'sequenceType' as const, value: { elemType: value('', F).type } } }
  })
  const optional = (name: string) => ({
    name,
    type: { value: { case: 'optionalType' as const, value: { elemType: value('', F, [2, 3]).type } } }
  })

  test('beside tensors it is left out, with what leads to it alone; the tensors are exact', async () => {
    const model = await study(
      save({
        nodes: [
          node('Relu', ['x'], ['a']),
          node('SequenceConstruct', ['a'], ['s']),
          node('Exp', ['a'], ['b']),
          node('Neg', ['b'], ['y'])
        ],
        inputs: [x(), sequence('unread') as never],
        outputs: [sequence('s') as never, y()]
      })
    )
    expect(model.leftOut).toEqual([
      { end: 'input', name: 'unread', kind: 'sequence of float tensor' },
      { end: 'output', name: 's', kind: 'sequence of float tensor' }
    ])
    expect(model.analysis.layers.map(({ node: { opType } }) => opType)).toEqual(['Relu', 'Exp', 'Neg'])
    expect(model.cutPoints.map(cut => cut.tensors)).toEqual([['a'], ['b']])
  })

  test('an output of a type that does not travel, declared or not', async () => {
    const model = await study(
      save({
        nodes: [node('Relu', ['x'], ['y']), node('Cast', ['y'], ['half'], [int('to', T.BFLOAT16)])],
        inputs: [x()],
        outputs: [y(), value('half', T.BFLOAT16)]
      })
    )
    expect(model.leftOut).toEqual([{ end: 'output', name: 'half', kind: 'bfloat16 tensor' }])
    expect(model.analysis.outputs).toEqual(['y'])
  })

  test('an optional input that is read is fed as a tensor; one that is not is left out', async () => {
    const parts = (nodes: ModelParts['nodes']): ModelParts => ({
      nodes,
      inputs: [x(), optional('o') as never],
      outputs: [y()],
      opset: 18
    })
    const read = await study(
      save(
        parts([
          node('Relu', ['x'], ['a']),
          node('OptionalGetElement', ['o'], ['e']),
          node('Add', ['a', 'e'], ['b']),
          node('Neg', ['b'], ['y'])
        ])
      ),
      shape([2, 3], 'o')
    )
    expect(read.leftOut).toEqual([])
    expect(read.facts.of('o').type).toBe('float32')
    const unread = await study(save(parts(chain('Relu', 'Neg'))))
    expect(unread.leftOut).toEqual([{ end: 'input', name: 'o', kind: 'optional of float tensor' }])
  })

  test('a model of no tensor output stays whole', async () => {
    const file = save({
      nodes: [node('Relu', ['x'], ['a']), node('SequenceConstruct', ['a'], ['s'])],
      inputs: [x()],
      outputs: [sequence('s') as never]
    })
    expect((await studyModel(file, none, openModel)).leftOut).toEqual([])
  })
})
