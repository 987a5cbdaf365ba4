import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TensorProto_DataType as T, TensorProto_DataLocation } from 'onnx-buf'
import { expect, test } from 'vitest'
import { openModel } from '../../runtime/onnx/open-model.ts'
import { blockProtos, check, exactEverywhere, folder, none, save, study, x, y } from '../../testing/cut-everywhere.ts'
import {
  floatList,
  floats,
  int,
  int64s,
  type ModelParts,
  node,
  tensorAttribute,
  value,
  type Weights
} from '../../testing/onnx-builder.ts'
import { declaredInputs } from '../declared-inputs.ts'
import { readOnnxFile } from './read-onnx-file.ts'
import { studyModel } from './study-model.ts'

const k = (v: number): Weights => ({ name: 'k', dataType: T.FLOAT, dims: [1n], floatData: [v] })
const constant = (v: number) => node('Constant', [], ['k'], [tensorAttribute({ ...k(v), name: '' })])
const add = node('Add', ['x', 'k'], ['a'])
const multiply = node('Mul', ['a', 'k'], ['y'])
const model = (parts: Partial<ModelParts>): ModelParts => ({
  nodes: [add, multiply],
  inputs: [x([1])],
  outputs: [y([1])],
  ...parts
})

/** Of x = 10, from plain ONNX Runtime and from the blocks. */
const answer = async (parts: ModelParts) => {
  const studied = await study(save(parts))
  const whole = await openModel(studied.analysis.file.path)
  const ten = { name: 'x', type: 'float32' as const, dims: [1], data: new Uint8Array(Float32Array.of(10).buffer) }
  const [result] = await whole.run([ten])
  await whole.close()
  return new Float32Array(result!.data.buffer)[0]
}

for (const [name, parts] of Object.entries<Partial<ModelParts>>({
  'two Constant nodes, each before a reader': { nodes: [constant(2), add, constant(3), multiply] },
  'two Constant nodes, the second one last': { nodes: [constant(2), add, multiply, constant(3)] },
  'an initializer and a Constant node': { nodes: [constant(3), add, multiply], weights: [k(2)] },
  'two initializers': { weights: [k(2), k(3)] },
  'two initializers, listed as inputs': { weights: [k(2), k(3)], inputs: [x([1]), value('k', T.FLOAT, [1])] },
  'two initializers in version 3': {
    weights: [k(2), k(3)],
    inputs: [x([1]), value('k', T.FLOAT, [1])],
    irVersion: 3
  },
  'a list of floats in a node': {
    nodes: [node('Constant', [], ['k'], [floatList('value_floats', [3])]), add, multiply],
    weights: [k(2)]
  }
})) {
  test(`a constant defined twice, ${name}: the one that the runtime takes is taken everywhere`, async () => {
    expect(await answer(model(parts))).toBe((10 + 3) * 3)
    const studied = await check(model(parts))
    expect(studied.analysis.file.notes).toEqual([
      expect.stringMatching(/^"k" is defined 2 times \(.*; ONNX Runtime takes/)
    ])
  })
}

type Kind = 'raw' | 'typed' | 'outside' | 'node' | 'typed node' | 'list node' | 'outside node'

/** Numbers 1, 2, 3, … of these kinds, initializers first: the model, and what its definitions are. */
const defined = (kinds: readonly Kind[], count: number): ModelParts => {
  const filled = (v: number, kind: Kind): Weights => {
    const data = new Float32Array(count).fill(v)
    const named = { name: kind.endsWith('node') ? '' : 'k', dataType: T.FLOAT, dims: [BigInt(count)] }
    if (kind.startsWith('typed')) return { ...named, floatData: [...data] }
    const rawData = new Uint8Array(data.buffer)
    if (!kind.startsWith('outside')) return { ...named, rawData }
    const location = `${v}-of-${count}.bin`
    writeFileSync(join(folder, location), rawData)
    const externalData = [{ key: 'location', value: location }]
    return { ...named, dataLocation: TensorProto_DataLocation.EXTERNAL, externalData }
  }
  const made = kinds.map((kind, i) =>
    kind === 'list node' ? floatList('value_floats', new Array(count).fill(i + 1)) : filled(i + 1, kind)
  )
  const isNode = (i: number): boolean => kinds[i]!.endsWith('node')
  const attribute = (i: number) => (kinds[i] === 'list node' ? (made[i] as never) : tensorAttribute(made[i] as Weights))
  const nodes = made.flatMap((_, i) => (isNode(i) ? [node('Constant', [], ['k'], [attribute(i)])] : []))
  const weights = made.filter((_, i) => !isNode(i)) as Weights[]
  return {
    nodes: [...nodes, node('Add', ['x', 'k'], ['a']), node('Relu', ['a'], ['b']), node('Mul', ['b', 'k'], ['y'])],
    weights,
    inputs: [x(['n', count])],
    outputs: [y(['n', count])]
  }
}

/** Which the whole takes: of x = 0 the answer is its square. */
const takenByWhole = async (file: string, count: number): Promise<number> => {
  const whole = await openModel(file)
  const zero = { name: 'x', type: 'float32' as const, dims: [1, count], data: new Uint8Array(4 * count) }
  const [result] = await whole.run([zero])
  await whole.close()
  return Math.sqrt(new Float32Array(result!.data.buffer)[0]!)
}

const KINDS: readonly (readonly Kind[])[] = [
  ['raw', 'raw'],
  ['raw', 'raw', 'raw'],
  ['raw', 'raw', 'raw', 'raw'],
  ['typed', 'typed'],
  ['typed', 'raw'],
  ['node', 'node'],
  ['typed node', 'list node', 'node'],
  ['raw', 'node'],
  ['raw', 'typed', 'node', 'node'],
  ['node', 'outside node'],
  ['outside', 'outside'],
  ['outside', 'raw'],
  ['raw', 'outside'],
  ['raw', 'raw', 'outside']
]
for (const count of [4, 31, 32, 64]) {
  test(`definitions of ${count} floats, inside and outside of the file: the runtime is asked which it takes`, async () => {
    for (const kinds of KINDS) {
      const file = save(defined(kinds, count))
      const taken = await takenByWhole(file, count)
      const studied = await study(file)
      const inits = kinds.filter(kind => !kind.endsWith('node')).length
      const which = taken <= inits ? `initializer ${taken}` : `Constant node ${taken - inits}`
      expect(studied.analysis.file.notes?.[0], `${kinds}`).toMatch(new RegExp(`takes ${which}$`))
      await exactEverywhere(studied)
    }
  })
}

for (const count of [8, 64]) {
  test(`one of ${count} numbers that is defined twice is merged and packed as in the whole`, async () => {
    const positive = (name: string, v: number): Weights => ({
      ...floats(name, [count]),
      rawData: new Uint8Array(Float32Array.from({ length: count }, (_, i) => v + Math.abs(Math.sin(i * v))).buffer)
    })
    const file = save({
      nodes: [
        node('Conv', ['x', 'w'], ['c']),
        node('BatchNormalization', ['c', 's', 'b', 'm', 'v'], ['n']),
        node('Relu', ['n'], ['r']),
        node('GlobalAveragePool', ['r'], ['g']),
        node('Flatten', ['g'], ['f']),
        node('MatMul', ['f', 'p'], ['y'])
      ],
      weights: [
        ...[0.3, 0.2].map(scale => floats('w', [count, 3, 3, 3], scale)),
        ...[1.3, 1.1].map(v => positive('s', v)),
        ...[1.7, 1.9].map(v => positive('v', v)),
        ...[1, 0.4].map(scale => floats('p', [count, count], scale)),
        ...['b', 'm'].map(name => positive(name, 1))
      ],
      inputs: [x([1, 3, 9, 9])],
      outputs: [y()]
    })
    await exactEverywhere(await studyModel(file, none, openModel)) // cut where nothing is merged
  })
}

test('definitions of types that JavaScript lacks are asked for too', async () => {
  const scale = (v: number): Weights => ({ name: 's', dataType: T.BFLOAT16, dims: [80n], rawData: bfloat(v, 80) })
  await check({
    nodes: [
      node('Cast', ['s'], ['f'], [int('to', T.FLOAT)]),
      node('Add', ['x', 'f'], ['a']),
      node('Exp', ['a'], ['b']),
      node('Add', ['b', 'f'], ['y'])
    ],
    weights: [scale(1), scale(2), scale(0.5)],
    inputs: [x([80])],
    outputs: [y([80])]
  })
})

/** The upper half of a float. */
const bfloat = (v: number, count: number): Uint8Array<ArrayBuffer> => {
  const bits = new Uint32Array(Float32Array.of(v).buffer)[0]! >>> 16
  return new Uint8Array(new Uint16Array(count).fill(bits).buffer)
}

test('a Constant node whose output is listed as an input is an input that is filled', async () => {
  const listed = [x([1]), value('k', T.FLOAT, [1])]
  const parts = model({ nodes: [constant(3), add, multiply], inputs: listed })
  expect(await answer(parts)).toBe((10 + 3) * 3)
  const studied = await check(parts)
  expect(studied.analysis.inputs).toEqual(['x'])
  const file = await readOnnxFile(studied.analysis.file.path)
  expect(declaredInputs(file).map(({ name }) => name)).toEqual(['x'])
})

test('definitions of two shapes or types are refused by the runtime, and by us with the place', async () => {
  for (const other of [{ ...k(3), dims: [] }, int64s('k', [3])]) {
    const file = save(model({ weights: [k(2), other] }))
    await expect(openModel(file)).rejects.toThrow()
    await expect(studyModel(file, none, openModel)).rejects.toThrow(
      `${file}: "k" is defined twice, as type 1, shape [1] and as type`
    )
  }
})

test('a node and a constant of one name are refused, as in the runtime', async () => {
  for (const parts of [
    model({ nodes: [constant(2), node('Neg', ['x'], ['k']), add, multiply] }),
    model({ nodes: [node('Neg', ['x'], ['k']), node('Abs', ['x'], ['k']), add, multiply] })
  ]) {
    const file = save(parts)
    await expect(openModel(file)).rejects.toThrow(/Duplicate definition of name/)
    await expect(studyModel(file, none, openModel)).rejects.toThrow(/node #1 \S+ writes "k", which exists already/)
  }
})

test('an initializer that a user may set stays one in its block, so that it is merged no more than in the whole', async () => {
  const studied = await check({
    nodes: [
      node('Conv', ['x', 'w'], ['c']),
      node('BatchNormalization', ['c', 's', 'b', 'm', 'v'], ['n']),
      node('Relu', ['n'], ['y'])
    ],
    weights: [
      floats('w', [8, 8, 3, 3], 0.3),
      ...['s', 'b', 'm'].map(name => floats(name, [8])),
      { ...floats('v', [8]), rawData: new Uint8Array(new Float32Array(8).fill(1.7).buffer) }
    ],
    inputs: [x([1, 8, 9, 9]), ...['s', 'b', 'm', 'v'].map(name => value(name, T.FLOAT, [8]))],
    outputs: [y()]
  })
  const [only] = await blockProtos(studied, [])
  expect(only!.graph!.input.map(input => input.name)).toEqual(['x', 's', 'b', 'm', 'v'])
})
