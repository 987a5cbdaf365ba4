import { expect, test } from 'vitest'
import { type InferHead, readInferRequest } from './read-infer-request.ts'
import { RecentHeads } from './recent-heads.ts'

const asking = (parameters: object) =>
  readInferRequest(
    Buffer.from(
      JSON.stringify({
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }],
        outputs: [{ name: 'y', parameters }]
      })
    ),
    undefined,
    new RecentHeads<InferHead>()
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

test('a head that came before stands before other tensors, and one that is wrong is wrong each time', () => {
  const heads = new RecentHeads<InferHead>()
  const read = (head: object, ...elements: number[]) => {
    const json = Buffer.from(JSON.stringify(head))
    const body = Buffer.concat([json, Buffer.from(Float32Array.from(elements).buffer)])
    return readInferRequest(Uint8Array.from(body), json.byteLength, heads).inputs[0]
  }
  const input = (size: number) => ({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [2], parameters: { binary_data_size: size } }]
  })
  for (const elements of [
    [1, 2],
    [3, 4]
  ])
    expect(read(input(8), ...elements)).toEqual({
      ...{ name: 'x', datatype: 'FP32', shape: [2] },
      data: new Uint8Array(Float32Array.from(elements).buffer)
    })
  for (let i = 0; i < 2; i++) {
    expect(() => read(input(8), 1)).toThrow('binary_data_size 8, and 4 bytes are left')
    expect(() => read(input(8), 1, 2, 3)).toThrow('4 bytes more')
    expect(() => read(input(12), 1, 2, 3)).toThrow('2 elements of FP32 are 8 bytes')
  }
})
