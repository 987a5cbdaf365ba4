import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type IDENTITIES, identitiesModel, mixerModel } from '../../src/testing/serving-models.ts'
import {
  ask,
  binaryBody,
  binaryOutputs,
  floatsIn,
  type Json,
  modelOf,
  servingCluster,
  untilReady
} from '../serving-cluster.ts'

const cluster = servingCluster()
let http: string

beforeAll(async () => {
  const models = [
    modelOf(cluster.file('mixer.onnx', mixerModel()), 'mixer', { blocks: 3 }),
    modelOf(cluster.file('ids.onnx', identitiesModel()), 'ids', { blocks: 2 })
  ]
  const owner = await cluster.start('shed', { models, serve: { http: 0, limit: '1MiB' } })
  http = owner.serving!.http!
  await untilReady(http, 'mixer')
  await untilReady(http, 'ids')
})
afterAll(() => cluster[Symbol.asyncDispose]())

const X = [1, -2, 3, -4]
const x = (data: unknown = X, shape: readonly number[] = [1, 4], more: object = {}) => ({
  inputs: [{ name: 'x', datatype: 'FP32', shape, data }],
  ...more
})
const infer = (body: object | string, headers = {}) =>
  ask(`${http}/v2/models/mixer/infer`, { body: typeof body === 'string' ? body : JSON.stringify(body), headers })

test('what the server is, and whether it lives, is told to everybody', async () => {
  for (const path of ['health/live', 'health/ready', 'models/mixer/ready', 'models/mixer/versions/1/ready'])
    expect(await ask(`${http}/v2/${path}`)).toMatchObject({ status: 200, body: Buffer.alloc(0) })
  const { extensions, ...server } = (await ask(`${http}/v2`)).json()
  expect(server).toEqual({ name: 'tributary', version: JSON.parse(readFileSync('package.json', 'utf8')).version })
  expect(extensions).toContain('binary_tensor_data')
  expect((await ask(`${http}/v2/`)).json()).toEqual({ extensions, ...server })
})

test("a model's metadata and configuration are as clients read them", async () => {
  const metadata = {
    name: 'mixer',
    versions: ['1'],
    platform: 'onnx_onnxv1',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
    outputs: [
      { name: 'y', datatype: 'FP32', shape: [-1, 3] },
      { name: 'z', datatype: 'FP32', shape: [-1, 4] }
    ]
  }
  expect((await ask(`${http}/v2/models/mixer`)).json()).toEqual(metadata)
  expect((await ask(`${http}/v2/models/mixer/versions/1`)).json()).toEqual(metadata)
  const config = (await ask(`${http}/v2/models/mixer/config`)).json()
  expect(config).toMatchObject({
    ...{ name: 'mixer', platform: 'onnxruntime_onnx', backend: 'onnxruntime', max_batch_size: 1024 },
    input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [4] }],
    output: [
      { name: 'y', data_type: 'TYPE_FP32', dims: [3] },
      { name: 'z', data_type: 'TYPE_FP32', dims: [4] }
    ]
  })
  expect(config.parameters.metadata.string_value).toBe(
    `{'task': 'detect', 'stride': '32', 'imgsz': '[640, 640]', 'names': '{0: \\'person\\', 1: "it\\'s"}'}`
  )
  const ids = (await ask(`${http}/v2/models/ids/config`)).json()
  expect(ids).toMatchObject({ max_batch_size: 0 })
  expect(ids.input).toContainEqual({ name: 'in_BYTES', data_type: 'TYPE_STRING', dims: [2, 2] })
})

test('JSON in, JSON out, flat or nested, with the id that came; without any content type', async () => {
  const flat = await infer(x(X, [1, 4], { id: 'seven' }))
  expect(flat.status).toBe(200)
  expect(flat.json()).toMatchObject({ model_name: 'mixer', model_version: '1', id: 'seven' })
  expect(flat.json().outputs.map(({ name, datatype, shape }: Json) => ({ name, datatype, shape }))).toEqual([
    { name: 'y', datatype: 'FP32', shape: [1, 3] },
    { name: 'z', datatype: 'FP32', shape: [1, 4] }
  ])
  expect((await infer(x([X]))).json().outputs).toEqual(flat.json().outputs)
  expect((await infer(x(), { 'content-type': 'text/strange' })).json().outputs).toEqual(flat.json().outputs)
})

test('tensors travel as binary data, each output as it is asked for', async () => {
  const [y, z] = (await infer(x())).json().outputs
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 4], parameters: { binary_data_size: 16 } }]
  const all = binaryBody({ inputs, parameters: { binary_data_output: true } }, Float32Array.from(X))
  const answer = await ask(`${http}/v2/models/mixer/infer`, all)
  expect(answer.headers['content-type']).toBe('application/octet-stream')
  expect(floatsIn(binaryOutputs(answer)['y']!)).toEqual(y.data)
  expect(floatsIn(binaryOutputs(answer)['z']!)).toEqual(z.data)
  const outputs = [{ name: 'z', parameters: { binary_data: true } }, { name: 'y' }]
  const some = await ask(`${http}/v2/models/mixer/infer`, binaryBody({ inputs, outputs }, Float32Array.from(X)))
  const head = Number(some.headers['inference-header-content-length'])
  const parsed = JSON.parse(some.body.subarray(0, head).toString())
  expect(parsed.outputs).toEqual([
    { name: 'z', datatype: 'FP32', shape: [1, 4], parameters: { binary_data_size: 16 } },
    y
  ])
  expect(floatsIn(some.body.subarray(head))).toEqual(z.data)
})

test('a body that is one tensor alone is the one input of the model', async () => {
  const body = Float32Array.from([...X, ...X])
  const headers = { 'Inference-Header-Content-Length': '0', 'content-type': 'application/octet-stream' }
  const answer = await ask(`${http}/v2/models/mixer/infer`, { body: Buffer.from(body.buffer), headers })
  expect(answer.status).toBe(200)
  const one = (await infer(x())).json().outputs[0].data
  expect(floatsIn(binaryOutputs(answer)['y']!)).toEqual([...one, ...one])
  const odd = await ask(`${http}/v2/models/mixer/infer`, { body: Buffer.alloc(18), headers })
  expect(odd).toMatchObject({ status: 400 })
})

test('a batch is split, computed and joined, exactly as its data one by one', async () => {
  const rows = Array.from({ length: 7 }, (_, row) => X.map(value => value * (row + 1)))
  const single = await Promise.all(rows.map(async row => (await infer(x(row))).json().outputs))
  const batch = (await infer(x(rows, [7, 4]))).json().outputs
  expect(batch[0]).toMatchObject({ shape: [7, 3], data: single.flatMap(([y]) => y.data) })
  expect(batch[1]).toMatchObject({ shape: [7, 4], data: single.flatMap(([, z]) => z.data) })
  expect(await infer(x([], [0, 4]))).toMatchObject({ status: 400 })
})

const DATA: Readonly<Record<keyof typeof IDENTITIES, ArrayBufferView>> = {
  BOOL: Uint8Array.of(1, 0, 0, 1),
  UINT8: Uint8Array.of(0, 1, 254, 255),
  UINT16: Uint16Array.of(0, 1, 2, 65_535),
  UINT32: Uint32Array.of(0, 1, 2, 4_294_967_295),
  UINT64: BigUint64Array.of(0n, 1n, 9_007_199_254_740_993n, 18_446_744_073_709_551_615n),
  INT8: Int8Array.of(-128, -1, 0, 127),
  INT16: Int16Array.of(-32_768, -1, 0, 32_767),
  INT32: Int32Array.of(-2_147_483_648, -1, 0, 2_147_483_647),
  INT64: BigInt64Array.of(-9_223_372_036_854_775_808n, -9_007_199_254_740_993n, 0n, 9_223_372_036_854_775_807n),
  FP16: Uint16Array.of(0x3c00, 0xbc00, 0x0001, 0x7bff),
  FP32: Float32Array.of(0.1, -0, 3.4e38, 1e-40),
  FP64: Float64Array.of(0.1, -1, 1e300, 5e-324),
  BYTES: Buffer.concat(
    ['', 'a', 'größer', '\u{1f600}"\\'].map(text => Buffer.concat([le32(Buffer.byteLength(text)), Buffer.from(text)]))
  )
}

function le32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

const JSON_DATA: Readonly<Record<string, string>> = {
  BOOL: '[true,false,false,true]',
  UINT64: '[0,1,9007199254740993,18446744073709551615]',
  INT64: '[-9223372036854775808,-9007199254740993,0,9223372036854775807]',
  BYTES: '["","a","größer","😀\\"\\\\"]'
}

test('several inputs and outputs of every datatype, binary and as JSON, come back as they went', async () => {
  const names = Object.keys(DATA) as (keyof typeof DATA)[]
  const inputs = names.map(name => ({
    ...{ name: `in_${name}`, datatype: name, shape: [2, 2] },
    parameters: { binary_data_size: DATA[name].byteLength }
  }))
  const binary = binaryBody({ inputs, parameters: { binary_data_output: true } }, ...names.map(name => DATA[name]))
  const answer = await ask(`${http}/v2/models/ids/infer`, binary)
  expect(answer.status).toBe(200)
  const outputs = binaryOutputs(answer)
  for (const name of names) {
    const { buffer, byteOffset, byteLength } = DATA[name]
    expect([name, outputs[`out_${name}`]]).toEqual([name, Buffer.from(buffer, byteOffset, byteLength)])
  }
  const jsonOf = (name: keyof typeof DATA): string =>
    JSON_DATA[name] ??
    `[${Array.from(DATA[name] as Float32Array, value => (Object.is(value, -0) ? '-0' : value)).join(',')}]`
  const asJson = names.map(name =>
    name === 'FP16'
      ? `{"name":"in_FP16","datatype":"FP16","shape":[2,2],"parameters":{"binary_data_size":8}}`
      : `{"name":"in_${name}","datatype":"${name}","shape":[2,2],"data":${jsonOf(name)}}`
  )
  const wanted = names.map(name => `{"name":"out_${name}","parameters":{"binary_data":${name === 'FP16'}}}`)
  const head = Buffer.from(`{"inputs":[${asJson.join(',')}],"outputs":[${wanted.join(',')}]}`)
  const mixed = await ask(`${http}/v2/models/ids/infer`, {
    body: Buffer.concat([head, Buffer.from((DATA.FP16 as Uint16Array).buffer)]),
    headers: { 'Inference-Header-Content-Length': String(head.byteLength) }
  })
  const length = Number(mixed.headers['inference-header-content-length'])
  const text = mixed.body.subarray(0, length).toString()
  for (const name of names) {
    if (name === 'FP16') continue
    const shown = name === 'FP32' ? `[${Array.from(DATA.FP32 as Float32Array).join(',')}]` : jsonOf(name)
    expect(text).toContain(`"name":"out_${name}","datatype":"${name}","shape":[2,2],"data":${shown}`)
  }
  expect(mixed.body.subarray(length)).toEqual(Buffer.from((DATA.FP16 as Uint16Array).buffer))
})

test('BF16 is taken where a model has float32: each is the upper half of one', async () => {
  const inputs = [{ name: 'x', datatype: 'BF16', shape: [1, 4], parameters: { binary_data_size: 8 } }]
  const halves = Uint16Array.from(X, value => new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16)
  const answer = await ask(`${http}/v2/models/mixer/infer`, binaryBody({ inputs }, halves))
  expect(answer.json().outputs).toEqual((await infer(x())).json().outputs)
})

test('requests come packed, and answers go packed where a client says so', async () => {
  const plain = (await infer(x())).json()
  const text = JSON.stringify(x())
  for (const [encoding, pack] of [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync]
  ] as const)
    expect(
      (
        await ask(`${http}/v2/models/mixer/infer`, { body: pack(text), headers: { 'content-encoding': encoding } })
      ).json()
    ).toEqual(plain)
  for (const [accepted, encoding, unpack] of [
    ['gzip, deflate', 'gzip', gunzipSync],
    ['deflate, br', 'deflate', inflateSync],
    ['gzip;q=0, deflate', 'deflate', inflateSync]
  ] as const) {
    const answer = await infer(text, { 'accept-encoding': accepted })
    expect(answer.headers['content-encoding']).toBe(encoding)
    expect(JSON.parse(unpack(answer.body).toString())).toEqual(plain)
  }
})

test('statistics count what was computed, by model, and what failed', async () => {
  const stats = async () => (await ask(`${http}/v2/models/mixer/stats`)).json().model_stats[0]
  const before = await stats()
  await infer(x())
  await infer(x([X, X, X], [3, 4]))
  await infer(x([1, 2], [1, 2]))
  const after = await stats()
  expect(after).toMatchObject({
    ...{ name: 'mixer', version: '1', inference_count: before.inference_count + 4 },
    execution_count: before.execution_count + 4
  })
  const grew = (kind: string): number => after.inference_stats[kind].count - before.inference_stats[kind].count
  expect(['success', 'fail', 'queue', 'compute_infer'].map(grew)).toEqual([2, 1, 2, 2])
  expect(after.inference_stats.compute_infer.ns).toBeGreaterThan(before.inference_stats.compute_infer.ns)
  expect(after.batch_stats.map(({ batch_size }: Json) => batch_size)).toContain(3)
  expect(Math.abs(after.last_inference - Date.now())).toBeLessThan(60_000)
  expect((await ask(`${http}/v2/models/stats`)).json().model_stats.map(({ name }: Json) => name)).toEqual([
    'ids',
    'mixer'
  ])
})

test.for([
  ['no JSON', '{"inputs":[', /parse/],
  ['NaN', '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":[1,NaN,3,4]}]}', /parse/],
  ['a number that float32 cannot hold', x([1, 2, 3, 1e39]), /element 3 is 1e\+39, which is no FP32/],
  ['text for a number', x([1, 2, 3, '4']), /element 3 is "4", which is no FP32/],
  ['null', x([1, 2, 3, null]), /element 3 is null/],
  ['too few elements', x([1, 2, 3]), /3 elements.*has 4/],
  ['too many elements', x([1, 2, 3, 4, 5]), /5 elements.*has 4/],
  ['too many nested', x([[1, 2, 3, 4, 5]]), /more elements/],
  ['another shape', x([1, 2, 3], [1, 3]), /unexpected shape for input "x".*\[-1,4\], got \[1,3\]/],
  ['another rank', x(X, [4]), /unexpected shape/],
  ['a negative dimension', x(X, [-1, 4]), /shape/],
  ['a dimension that is none', x(X, [1.5, 4]), /shape/],
  ['a vast shape', x([1], [2 ** 39, 4]), /1 elements/],
  [
    'another datatype',
    { inputs: [{ name: 'x', datatype: 'INT32', shape: [1, 4], data: X }] },
    /unexpected datatype INT32.*FP32/
  ],
  ['an unknown datatype', { inputs: [{ name: 'x', datatype: 'FP8', shape: [1, 4], data: X }] }, /datatype 'FP8'/],
  [
    'another name',
    { inputs: [{ name: 'w', datatype: 'FP32', shape: [1, 4], data: X }] },
    /"x" of model "mixer" is missing/
  ],
  ['a name too many', { inputs: [...x().inputs, { ...x().inputs[0], name: 'w' }] }, /unexpected inference input "w"/],
  ['a name twice', { inputs: [...x().inputs, ...x().inputs] }, /twice/],
  ['no inputs', { inputs: [] }, /inputs/],
  ['an output that there is not', x(X, [1, 4], { outputs: [{ name: 'v' }] }), /unexpected inference output 'v'/],
  ['a timeout that is none', x(X, [1, 4], { parameters: { timeout: -5 } }), /timeout/],
  ['a priority that is none', x(X, [1, 4], { parameters: { priority: 'high' } }), /priority/],
  ['a source that is no name', x(X, [1, 4], { parameters: { source: 'a/b' } }), /source "a\/b" is no name/],
  ['neither data nor size', { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4] }] }, /must be a list/]
] as const)('%s is refused with 400 and told', async ([, body, words]) => {
  const answer = await infer(body as object)
  expect(answer.status).toBe(400)
  expect(Object.keys(answer.json())).toEqual(['error'])
  expect(answer.json().error).toMatch(words)
})

test.for([
  ['less than it says', 16, 8, [1, 4], /says binary_data_size 16, and 8 bytes are left/],
  ['more than it says', 16, 20, [1, 4], /4 bytes more/],
  ['another size than its shape', 20, 20, [1, 4], /4 elements of FP32 are 16 bytes/],
  ['a size beyond all', 2 ** 40, 16, [1, 4], /says binary_data_size 1099511627776/]
] as const)('binary data of %s are refused', async ([, says, has, shape, words]) => {
  const inputs = [{ name: 'x', datatype: 'FP32', shape, parameters: { binary_data_size: says } }]
  const answer = await ask(`${http}/v2/models/mixer/infer`, binaryBody({ inputs }, new Uint8Array(has)))
  expect(answer.status).toBe(400)
  expect(answer.json().error).toMatch(words)
})

test('text that lies about lengths, has a NUL or is no UTF-8 is refused; what is text comes back as it went', async () => {
  const one = (bytes: Uint8Array) => {
    const names = Object.keys(DATA) as (keyof typeof DATA)[]
    const data = names.map(name => (name === 'BYTES' ? bytes : DATA[name]))
    const inputs = names.map((name, i) => ({
      ...{ name: `in_${name}`, datatype: name, shape: [2, 2] },
      parameters: { binary_data_size: data[i]!.byteLength }
    }))
    return ask(`${http}/v2/models/ids/infer`, binaryBody({ inputs, outputs: [{ name: 'out_BYTES' }] }, ...data))
  }
  for (const bytes of [Buffer.from([255, 255, 255, 255, 1]), Buffer.from([1, 0]), Buffer.alloc(12), Buffer.alloc(20)])
    expect(await one(bytes)).toMatchObject({ status: 400 })
  const beside = (...element: number[]) =>
    one(Buffer.concat([le32(element.length), Buffer.from(element), Buffer.alloc(12)]))
  expect((await beside(97, 0, 98)).json().error).toMatch(/in_BYTES.* has a NUL in element 0/)
  expect((await beside(97, 0xff)).json().error).toMatch(/in_BYTES.* has no UTF-8 in element 0/)
  const bom = '\ufeffa'
  const text = (await beside(...Buffer.from(bom))).json().outputs[0]
  expect(text.data).toEqual([bom, '', '', ''])
})

test('a header length beyond the body, or that is none, is refused', async () => {
  for (const length of ['100000', 'ten', '-1'])
    expect(await infer(x(), { 'Inference-Header-Content-Length': length })).toMatchObject({ status: 400 })
})

test('what there is not is 404, as JSON', async () => {
  for (const path of [
    'v2/models/none',
    'v2/models/mixer/versions/2',
    'v2/models/none/ready',
    'v2/models/none/config',
    'v2/none',
    'models'
  ])
    expect([path, (await ask(`${http}/${path}`)).status]).toEqual([path, 404])
  const answer = await ask(`${http}/v2/models/none/infer`, { body: JSON.stringify(x()) })
  expect(answer).toMatchObject({ status: 404 })
  expect(answer.json().error).toMatch(/'none' is not found; there are ids, mixer/)
})

test('a body over the limit is refused before it is taken, one that unpacks to more likewise', async () => {
  expect(await infer('x'.repeat(1_100_000))).toMatchObject({ status: 413 })
  const bomb = gzipSync(Buffer.alloc(200_000_000))
  expect(bomb.byteLength).toBeLessThan(250_000)
  const before = process.memoryUsage().rss
  const answer = await ask(`${http}/v2/models/mixer/infer`, { body: bomb, headers: { 'content-encoding': 'gzip' } })
  expect(answer).toMatchObject({ status: 413 })
  expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000)
  for (const encoding of ['gzip', 'deflate', 'br'])
    expect(await infer('not packed', { 'content-encoding': encoding })).toMatchObject({ status: 400 })
})

test('requests of several clients, and several of one, are under way at once and all answered', async () => {
  const answers = await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const { status, json } = await infer(
        x(X.map(value => value + i)),
        i % 3 === 0 ? { 'x-tributary-source': 'camera' } : {}
      )
      return status === 200 && json().outputs[0].data.length === 3
    })
  )
  expect(answers.every(Boolean)).toBe(true)
})

test('a client that goes away in the middle leaves the others alone', async () => {
  const { hostname, port } = new URL(http)
  const gone = connect(Number(port), hostname)
  gone.write('POST /v2/models/mixer/infer HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{"inputs"')
  await new Promise(resolve => gone.once('connect', resolve))
  gone.destroy()
  expect(await infer(x())).toMatchObject({ status: 200 })
})
