import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { ModelInferRequestSchema } from '../../runtime/generated/inference/inference_pb.ts'
import { callOf } from './infer-codec.ts'

const asking = (classes: bigint) =>
  callOf(
    create(ModelInferRequestSchema, {
      modelName: 'net',
      outputs: [
        { name: 'y', parameters: { classification: { parameterChoice: { case: 'int64Param', value: classes } } } }
      ]
    })
  )

test('an output that is wanted as classes is refused, and not answered with something else', () => {
  expect(() => asking(3n)).toThrow(
    expect.objectContaining({
      problem: 'badRequest',
      message: expect.stringContaining('"classification" is not supported')
    })
  )
  expect(asking(0n).outputs).toEqual(['y'])
})

test('memory that client and server are to share is refused, of inputs before anything is said of their data', () => {
  const parameters = { shared_memory_region: { parameterChoice: { case: 'stringParam' as const, value: 'r' } } }
  const [x, y] = [
    { name: 'x', datatype: 'FP32', shape: [1n] },
    { name: 'y', parameters }
  ]
  const asked = (parts: object) => () => callOf(create(ModelInferRequestSchema, { modelName: 'net', ...parts }))
  const mixed = { inputs: [{ ...x, parameters }, x], rawInputContents: [new Uint8Array(4)] }
  expect(asked(mixed)).toThrow(`input 'x': "shared_memory_region" is not supported`)
  const [inputs, rawInputContents] = [[x], [new Uint8Array(4)]]
  expect(asked({ inputs, rawInputContents, outputs: [y] })).toThrow(`output 'y': "shared_memory_region" is not`)
  expect(asked({ inputs, rawInputContents })).not.toThrow()
})
