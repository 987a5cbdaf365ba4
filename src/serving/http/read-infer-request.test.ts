import { expect, test } from 'vitest'
import { type InferHead, readInferRequest } from './read-infer-request.ts'
import { RecentHeads } from './recent-heads.ts'

const reading = (request: object) =>
  readInferRequest(Buffer.from(JSON.stringify(request)), undefined, new RecentHeads<InferHead>())

const asking = (parameters: object) =>
  reading({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }],
    outputs: [{ name: 'y', parameters }]
  })

test('an output that is wanted as classes is refused, and not answered with something else', () => {
  expect(() => asking({ classification: 3 })).toThrow(
    expect.objectContaining({
      problem: 'badRequest',
      message: expect.stringContaining('"classification" is not supported')
    })
  )
  expect(asking({ classification: 0, binary_data: true }).outputs).toEqual(['y'])
})

test('memory that client and server are to share is refused, of inputs and of outputs', () => {
  const shared = { shared_memory_region: 'r', shared_memory_byte_size: 4 }
  expect(() => asking(shared)).toThrow(`output 'y': "shared_memory_region" is not supported`)
  const input = { name: 'x', datatype: 'FP32', shape: [1], parameters: shared }
  expect(() => reading({ inputs: [input] })).toThrow(`input 'x': "shared_memory_region" is not supported`)
})

test('text that JSON can write and UTF-8 cannot is refused, not replaced', () => {
  const text = (data: string) => reading({ inputs: [{ name: 's', datatype: 'BYTES', shape: [1], data: [data] }] })
  expect(text('\u{1f600}').inputs[0]!.data.byteLength).toBe(8)
  expect(() => text('a\ud800')).toThrow('element 0 is "a\\ud800", which is no BYTES')
  const latin = Buffer.from('{"inputs":[{"name":"s","datatype":"BYTES","shape":[1],"data":["gr\xf6"]}]}', 'latin1')
  expect(() => readInferRequest(Uint8Array.from(latin), undefined, new RecentHeads())).toThrow('not UTF-8')
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
