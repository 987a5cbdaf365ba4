import { TensorProto_DataType as T } from 'onnx-buf'
import { expect, test } from 'vitest'
import { openModel } from '../runtime/onnx/open-model.ts'
import { blockProtos, check, none, save, study, x, y } from '../testing/cut-everywhere.ts'
import {
  floatList,
  floats,
  int64s,
  type ModelParts,
  node,
  tensorAttribute,
  value,
  type Weights
} from '../testing/onnx-builder.ts'
import { studyModel } from './cut-model.ts'

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
  test(`a constant defined twice, ${name}: the latest is taken everywhere, as the runtime does`, async () => {
    expect(await answer(model(parts))).toBe((10 + 3) * 3)
    const studied = await check(model(parts))
    expect(studied.analysis.file.notes).toEqual(['"k" is defined twice; ONNX Runtime takes the latest'])
  })
}

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
