import { compressionAlgorithms, credentials, Metadata, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type IDENTITIES, identitiesModel, mixerModel } from '../../src/testing/serving-models.ts'
import { ask, call, floatsIn, grpcClient, type Json, modelOf, servingCluster, untilReady } from '../serving-cluster.ts'

const cluster = servingCluster()
let http: string
let client: Json

beforeAll(async () => {
  const models = [
    modelOf(cluster.file('mixer.onnx', mixerModel()), 'mixer', { blocks: 3 }),
    modelOf(cluster.file('ids.onnx', identitiesModel()), 'ids', { blocks: 2 })
  ]
  const owner = await cluster.start('shed', { models, serve: { http: 0, grpc: 0, limit: '8MiB' } })
  http = owner.serving!.http!
  client = grpcClient(owner.serving!.grpc!)
  await untilReady(http, 'mixer')
  await untilReady(http, 'ids')
})
afterAll(async () => {
  client?.close()
  await cluster[Symbol.asyncDispose]()
})

const X = [1, -2, 3, -4]
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)
const raw = (values: readonly number[] = X, rows = 1, more: object = {}) => ({
  model_name: 'mixer',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, 4] }],
  raw_input_contents: [bytesOf(Float32Array.from(values))],
  ...more
})
const infer = (request: object, metadata?: Metadata): Promise<Json> => call(client, 'ModelInfer', request, metadata)
const overHttp = async (): Promise<Json> => {
  const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: X }] })
  return (await ask(`${http}/v2/models/mixer/infer`, { body })).json().outputs.map(({ data }: Json) => data)
}

test('health, metadata and configuration are those of HTTP, by the numbers of the protocol', async () => {
  expect(await call(client, 'ServerLive', {})).toEqual({ live: true })
  expect(await call(client, 'ServerReady', {})).toEqual({ ready: true })
  expect(await call(client, 'ModelReady', { name: 'mixer', version: '1' })).toEqual({ ready: true })
  expect(await call(client, 'ServerMetadata', {})).toEqual((await ask(`${http}/v2`)).json())
  const metadata = await call(client, 'ModelMetadata', { name: 'mixer' })
  expect(metadata).toEqual({ ...(await ask(`${http}/v2/models/mixer`)).json(), properties: {} })
  const { config } = await call(client, 'ModelConfig', { name: 'mixer' })
  expect(config).toMatchObject({
    ...{ name: 'mixer', platform: 'onnxruntime_onnx', backend: 'onnxruntime', max_batch_size: 1024 },
    input: [{ name: 'x', data_type: 11, dims: [4] }],
    output: [
      { name: 'y', data_type: 11, dims: [3] },
      { name: 'z', data_type: 11, dims: [4] }
    ]
  })
  expect(config.parameters.metadata.string_value).toContain("'stride': '32'")
  const types = (await call(client, 'ModelConfig', { name: 'ids' })).config.input
  const numbers = Object.fromEntries(types.map(({ name, data_type }: Json) => [name.slice(3), data_type]))
  expect(numbers).toEqual({
    ...{ BOOL: 1, UINT8: 2, UINT16: 3, UINT32: 4, UINT64: 5, INT8: 6, INT16: 7, INT32: 8, INT64: 9 },
    ...{ FP16: 10, FP32: 11, FP64: 12, BYTES: 13 }
  })
})

test('whether a model is ready that there is not is answered, as Triton answers it', async () => {
  const ready = (name: string, version = '') => call(client, 'ModelReady', { name, version })
  expect([await ready('mixer'), await ready('none'), await ready('mixer', '7')]).toEqual(
    [true, false, false].map(ready => ({ ready }))
  )
})

test('raw contents give what HTTP gives; the id comes back; outputs as they are asked for', async () => {
  const answer = await infer(raw(X, 1, { id: 'seven' }))
  expect(answer).toMatchObject({ model_name: 'mixer', model_version: '1', id: 'seven' })
  expect(answer.outputs).toMatchObject([
    { name: 'y', datatype: 'FP32', shape: [1, 3] },
    { name: 'z', datatype: 'FP32', shape: [1, 4] }
  ])
  expect(answer.raw_output_contents.map(floatsIn)).toEqual(await overHttp())
  const one = await infer(raw(X, 1, { outputs: [{ name: 'z' }] }))
  expect(one.raw_output_contents.map(floatsIn)).toEqual([(await overHttp())[1]])
})

test('a batch is split and joined', async () => {
  const [one] = (await infer(raw())).raw_output_contents.map(floatsIn)
  const answer = await infer(raw([...X, ...X, ...X], 3))
  expect(answer.outputs[0].shape).toEqual([3, 3])
  expect(floatsIn(answer.raw_output_contents[0])).toEqual([...one, ...one, ...one])
})

const CONTENTS: Readonly<Record<keyof typeof IDENTITIES, readonly [ArrayBufferView, object | undefined]>> = {
  BOOL: [Uint8Array.of(1, 0, 0, 1), { bool_contents: [true, false, false, true] }],
  UINT8: [Uint8Array.of(0, 1, 2, 255), { uint_contents: [0, 1, 2, 255] }],
  UINT16: [Uint16Array.of(0, 1, 2, 65_535), { uint_contents: [0, 1, 2, 65_535] }],
  UINT32: [Uint32Array.of(0, 1, 2, 4_294_967_295), { uint_contents: [0, 1, 2, 4_294_967_295] }],
  UINT64: [BigUint64Array.of(0n, 1n, 2n, 2n ** 64n - 1n), { uint64_contents: ['0', '1', '2', '18446744073709551615'] }],
  INT8: [Int8Array.of(-128, -1, 0, 127), { int_contents: [-128, -1, 0, 127] }],
  INT16: [Int16Array.of(-32_768, -1, 0, 1), { int_contents: [-32_768, -1, 0, 1] }],
  INT32: [Int32Array.of(-(2 ** 31), -1, 0, 1), { int_contents: [-(2 ** 31), -1, 0, 1] }],
  INT64: [BigInt64Array.of(-(2n ** 63n), -1n, 0n, 1n), { int64_contents: ['-9223372036854775808', '-1', '0', '1'] }],
  FP16: [Uint16Array.of(0x3c00, 0xbc00, 1, 2), undefined],
  FP32: [Float32Array.of(0.5, -1, 3.25, 1e-40), { fp32_contents: [0.5, -1, 3.25, 1e-40] }],
  FP64: [Float64Array.of(0.1, -1, 1e300, 5e-324), { fp64_contents: [0.1, -1, 1e300, 5e-324] }],
  BYTES: [
    Buffer.concat([0, 1, 2, 3].map(n => Buffer.from([n, 0, 0, 0, ...Array(n).fill(97 + n)]))),
    { bytes_contents: ['', 'b', 'cc', 'ddd'].map(text => Buffer.from(text)) }
  ]
}

test('every datatype, raw, and those that have a list of their own as such', async () => {
  const names = Object.keys(CONTENTS) as (keyof typeof CONTENTS)[]
  const input = (name: string) => ({ name: `in_${name}`, datatype: name, shape: [2, 2] })
  const wanted = names.map(name => bytesOf(CONTENTS[name][0]))
  const all = await infer({ model_name: 'ids', inputs: names.map(input), raw_input_contents: wanted })
  expect(all.outputs.map(({ datatype }: Json) => datatype)).toEqual(names)
  expect(all.raw_output_contents).toEqual(wanted)
  const listed = names.map(name => ({ ...input(name), contents: CONTENTS[name][1] }))
  await expect(infer({ model_name: 'ids', inputs: listed })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: expect.stringMatching(/FP16 has no contents/)
  })
})

test('elements in lists are read as the raw ones are', async () => {
  const contents = { fp32_contents: X }
  const listed = { model_name: 'mixer', inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], contents }] }
  expect((await infer(listed)).raw_output_contents).toEqual((await infer(raw())).raw_output_contents)
})

test('messages come packed', async () => {
  for (const algorithm of [compressionAlgorithms.gzip, compressionAlgorithms.deflate]) {
    const packed = grpcClient(client.getChannel().getTarget().replace(/^dns:/, ''), credentials.createInsecure(), {
      'grpc.default_compression_algorithm': algorithm
    })
    const answer = await call(packed, 'ModelInfer', raw())
    expect(answer.raw_output_contents.map(floatsIn)).toEqual(await overHttp())
    packed.close()
  }
})

test.for([
  ['an unknown model', { model_name: 'none' }, status.NOT_FOUND, /'none' is not found/],
  ['an unknown version', { model_version: '3' }, status.NOT_FOUND, /version 3/],
  [
    'another shape',
    { inputs: [{ name: 'x', datatype: 'FP32', shape: [4] }] },
    status.INVALID_ARGUMENT,
    /unexpected shape/
  ],
  [
    'a negative shape',
    { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }] },
    status.INVALID_ARGUMENT,
    /whole numbers/
  ],
  [
    'another type',
    { inputs: [{ name: 'x', datatype: 'INT32', shape: [1, 4] }] },
    status.INVALID_ARGUMENT,
    /unexpected datatype/
  ],
  ['another name', { inputs: [{ name: 'w', datatype: 'FP32', shape: [1, 4] }] }, status.INVALID_ARGUMENT, /is missing/],
  ['too few bytes', { raw_input_contents: [Buffer.alloc(12)] }, status.INVALID_ARGUMENT, /12 bytes/],
  [
    'more raw tensors than inputs',
    { raw_input_contents: [Buffer.alloc(16), Buffer.alloc(16)] },
    status.INVALID_ARGUMENT,
    /2 tensors for 1/
  ],
  ['an unknown output', { outputs: [{ name: 'v' }] }, status.INVALID_ARGUMENT, /unexpected inference output/],
  [
    'too few elements',
    {
      raw_input_contents: [],
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], contents: { fp32_contents: [1] } }]
    },
    status.INVALID_ARGUMENT,
    /1 elements/
  ]
] as const)('%s is refused with its status', async ([, change, code, words]) => {
  await expect(infer(raw(X, 1, change))).rejects.toMatchObject({ code, details: expect.stringMatching(words) })
})

test('messages may have more than 4 MB, and not more than the limit', async () => {
  const answer = await infer(
    raw(
      Array.from({ length: 4 * 300 }, (_, i) => i),
      300
    )
  )
  expect(answer.outputs[0].shape).toEqual([300, 3])
  const five = {
    model_name: 'mixer',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4] }],
    raw_input_contents: [Buffer.alloc(5e6)]
  }
  await expect(infer(five)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: expect.stringMatching(/5000000 bytes/)
  })
  await expect(infer({ ...five, raw_input_contents: [Buffer.alloc(9e6)] })).rejects.toMatchObject({
    code: status.RESOURCE_EXHAUSTED
  })
})

test('a stream answers each in the order in which they were asked; what fails is told, and it goes on', async () => {
  const stream = client.ModelStreamInfer()
  const answers: Json[] = []
  stream.on('data', (answer: Json) => answers.push(answer))
  const over = new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject))
  for (let i = 0; i < 40; i++) stream.write(raw(i === 7 ? [1] : X.map(value => value + i), 1, { id: String(i) }))
  stream.write(raw(X, 1, { id: 'last', parameters: { triton_enable_empty_final_response: { bool_param: true } } }))
  stream.end()
  await over
  expect(answers.map(({ infer_response }) => infer_response.id)).toEqual([
    ...Array.from({ length: 40 }, (_, i) => String(i)),
    'last'
  ])
  expect(answers.map(({ error_message }) => error_message !== '').indexOf(true)).toBe(7)
  expect(answers.filter(({ error_message }) => error_message !== '')).toHaveLength(1)
  expect(answers.at(-1).infer_response.parameters).toMatchObject({ triton_final_response: { bool_param: true } })
  expect(answers.at(-1).infer_response.raw_output_contents.map(floatsIn)).toEqual(await overHttp())
})

test('calls of one connection are one source, and of another one another; a name makes one of both', async () => {
  const status = () =>
    cluster
      .clusters()[0]!
      .status()
      .sources.map(({ name, completed }) => [name, completed] as const)
  const metadata = new Metadata()
  metadata.set('x-tributary-source', 'gate')
  await infer(raw(), metadata)
  await infer(raw(X, 1, { parameters: { source: { string_param: 'gate' } } }))
  expect(status()).toContainEqual(['gate', 2])
  const before = status().filter(([name]) => name.startsWith('client-'))
  await Promise.all(Array.from({ length: 20 }, () => infer(raw())))
  const after = status().filter(([name]) => name.startsWith('client-'))
  const grown = after.filter(([name, completed]) => completed !== (before.find(([other]) => other === name)?.[1] ?? 0))
  expect(grown).toHaveLength(1)
})

test('statistics, and the index of what there is, are those of HTTP', async () => {
  const { model_stats } = await call(client, 'ModelStatistics', { name: 'mixer' })
  const [known] = (await ask(`${http}/v2/models/mixer/stats`)).json().model_stats
  expect(model_stats[0]).toMatchObject({
    ...{ name: 'mixer', version: '1', inference_count: known.inference_count, execution_count: known.execution_count },
    inference_stats: known.inference_stats
  })
  expect(await call(client, 'RepositoryIndex', {})).toEqual({
    models: ['ids', 'mixer'].map(name => ({ name, version: '1', state: 'READY', reason: '' }))
  })
})
