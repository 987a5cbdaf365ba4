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
