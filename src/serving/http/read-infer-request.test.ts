import { expect, test } from 'vitest'
import { readInferRequest } from './read-infer-request.ts'

const asking = (parameters: object) =>
  readInferRequest(
    Buffer.from(
      JSON.stringify({
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }],
        outputs: [{ name: 'y', parameters }]
      })
    ),
    undefined
  )

test('an output that is wanted as classes is refused, and not answered with something else', () => {
  expect(() => asking({ classification: 3 })).toThrow(
    expect.objectContaining({
      problem: 'badRequest',
      message: expect.stringContaining('"classification" is not supported')
    })
  )
  expect(asking({ classification: 0, binary_data: true }).outputs).toEqual(['y'])
})
