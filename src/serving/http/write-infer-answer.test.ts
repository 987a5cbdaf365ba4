import { expect, test } from 'vitest'
import { writeInferAnswer } from './write-infer-answer.ts'

test('what has no form in JSON is asked for in words as binary data, in which it is what it is', () => {
  const data = new Uint8Array(Float32Array.of(1, Number.NaN, Number.NEGATIVE_INFINITY).buffer)
  const outputs = [{ name: 'y', type: 'float32', dims: [3], data } as const]
  const written = (binary: boolean) =>
    writeInferAnswer({ model: 'm', version: '1', id: '', outputs, isBinary: () => binary })
  expect(() => written(false)).toThrow(
    expect.objectContaining({ httpStatus: 400, message: expect.stringMatching(/'y' has NaN.*ask for binary_data/) })
  )
  const { body, header } = written(true)
  expect(body.subarray(header)).toEqual(Buffer.from(data))
})
