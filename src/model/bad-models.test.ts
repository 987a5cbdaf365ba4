import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TensorProto_DataType as T, TensorProto_DataLocation } from 'onnx-buf'
import { describe, expect, test } from 'vitest'
import { openModel } from '../runtime/onnx/open-model.ts'
import { chain, folder, fresh, none, save, x, y } from '../testing/cut-everywhere.ts'
import { buildModel, floats, type ModelParts, node, type Weights } from '../testing/onnx-builder.ts'
import { studyModel } from './files/study-model.ts'

const F = T.FLOAT

describe('bad input', () => {
  const refusal = async (file: string, shapes = none): Promise<string> =>
    studyModel(file, shapes, openModel).then(
      () => 'accepted',
      error => `${error.name}: ${error.message}`
    )
  const good: ModelParts = { nodes: chain('Relu', 'Exp'), inputs: [x(['n', 3, 'w'])], outputs: [y()] }

  test('a file that is not ONNX, an empty one, a truncated one, none at all', async () => {
    const file = fresh()
    writeFileSync(file, 'this is a text file and nothing else')
    expect(await refusal(file)).toMatch(/^UserError: .*not an ONNX model/)
    writeFileSync(file, '')
    expect(await refusal(file)).toMatch(/^UserError: .*empty/)
    const whole = buildModel({ ...good, weights: [floats('w', [99])] })
    writeFileSync(file, whole.subarray(0, whole.length - 60))
    expect(await refusal(file)).toMatch(/^UserError: .*cut short: field \d+.* at byte \d+ lacks its last \d+ bytes/)
    expect(await refusal(join(folder, 'absent.onnx'))).toMatch(/^UserError: .*absent\.onnx/)
  })

  test('missing external data, and data outside the folder of the model', async () => {
    const outside = (location: string): Weights => ({
      name: 'w',
      dataType: F,
      dims: [3n],
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: [
        { key: 'location', value: location },
        { key: 'length', value: '12' }
      ]
    })
    const parts = (location: string): ModelParts => ({
      nodes: [node('Add', ['x', 'w'], ['y'])],
      weights: [outside(location)],
      inputs: [x()],
      outputs: [y([2, 3])]
    })
    expect(await refusal(save(parts('gone.bin')))).toMatch(/^UserError: .*gone\.bin.*missing/)
    expect(await refusal(save(parts('../../etc/hostname')))).toMatch(/^UserError: .*own folder/)
  })

  test('an unknown operator is named', async () => {
    expect(
      await refusal(save({ nodes: [node('Frobnicate', ['x'], ['y'])], inputs: [x()], outputs: [y([2, 3])] }))
    ).toMatch(/^UserError: .*Frobnicate/)
  })

  test('a shape that is missing, does not fit, or names no input', async () => {
    const file = save(good)
    expect(await refusal(file)).toMatch(/^UserError: .*"x" has the dynamic shape.*shape x=/)
    expect(await refusal(file, new Map([['x', [1, 4, 5]]]))).toMatch(/^UserError: shape x=1x4x5 does not fit/)
    expect(await refusal(file, new Map([['z', [1]]]))).toMatch(/^UserError: .*no input "z"/)
  })

  test('a tensor from nowhere, one written twice, a cycle', async () => {
    const bad = (nodes: ModelParts['nodes']) => refusal(save({ nodes, inputs: [x()], outputs: [y([2, 3])] }))
    expect(await bad([node('Relu', ['nowhere'], ['y'])])).toMatch(/^UserError: .*reads "nowhere", which nothing writes/)
    expect(await bad([node('Relu', ['x'], ['y']), node('Exp', ['x'], ['y'])])).toMatch(/^UserError: .*exists already/)
    expect(await bad([node('Add', ['x', 'b'], ['a']), node('Relu', ['a'], ['b']), node('Relu', ['b'], ['y'])])).toMatch(
      /^UserError: .*cycle/
    )
  })
})
