import { setMaxListeners } from 'node:events'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { status as grpcStatus } from '@grpc/grpc-js'
import { TensorProto_DataType as T } from 'onnx-buf'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Cluster } from '../../src/library/join-cluster.ts'
import { loopingModel } from '../../src/testing/looping-model.ts'
import { buildModel, node, value } from '../../src/testing/onnx-builder.ts'
import { mixerModel } from '../../src/testing/serving-models.ts'
import {
  type Answer,
  ask,
  call,
  grpcClient,
  type Json,
  modelOf,
  servingCluster,
  untilReady
} from '../serving-cluster.ts'

const cluster = servingCluster()
let shed: Cluster
let porch: Cluster
let http: string
let client: Json
/** Turns of the loop in a tenth of a second. */
let tenth = 1_000_000

beforeAll(async () => {
  shed = await cluster.start('shed', {
    models: [modelOf(cluster.file('loop.onnx', loopingModel()), 'loop')],
    serve: { http: 0 }
  })
  await untilReady(shed.serving!.http!, 'loop')
  // It carries nothing.
  porch = await cluster.start('porch', { memory: 0, serve: { http: 0, grpc: 0 } })
  http = porch.serving!.http!
  client = grpcClient(porch.serving!.grpc!)
  await untilReady(http, 'loop')
  await loop(1)
  const begun = performance.now()
  await loop(tenth)
  tenth = Math.round((100 * tenth) / (performance.now() - begun))
})
afterAll(async () => {
  client?.close()
  await cluster[Symbol.asyncDispose]()
})

interface LoopOptions {
  readonly parameters?: object
  readonly source?: string
  readonly signal?: AbortSignal
}

const loop = (turns: number, { parameters = {}, source, signal }: LoopOptions = {}): Promise<Answer> =>
  ask(`${http}/v2/models/loop/infer`, {
    body: JSON.stringify({ parameters, inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [turns] }] }),
    headers: source === undefined ? {} : { 'x-tributary-source': source },
    ...(signal === undefined ? {} : { signal })
  })

const sources = () => porch.status().sources.filter(({ device }) => device === 'porch')
const until = async (what: () => boolean): Promise<void> => {
  for (let tries = 0; !what(); tries++) {
    if (tries > 6000) throw new Error(`it does not come: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
/** Tasks at the device that computes. */
const inLane = (): number => shed.status().devices.find(({ name }) => name === 'shed')!.queue.lane
const underWay = (): number => sources().reduce((sum, { inFlight }) => sum + inFlight, 0)

test('a device that carries nothing answers all the same, and says so of the model', async () => {
  expect((await loop(12)).json().outputs[0]).toEqual({ name: 'y', datatype: 'FP32', shape: [1], data: [24] })
  const { devices } = porch.status()
  expect(devices.find(({ name }) => name === 'porch')!.tasks).toBe(0)
})

test('requests over the limit of one who asks are refused at once, and another is answered', async () => {
  const over = new AbortController()
  setMaxListeners(0, over.signal) // each of the requests listens
  const refused: Answer[] = []
  const greedy = async (): Promise<void> => {
    const answer = await loop(2 * tenth, { source: 'greedy', signal: over.signal })
    if (answer.status === 503) refused.push(answer)
  }
  const many = Promise.allSettled(Array.from({ length: 600 }, greedy))
  await until(() => refused.length >= 40)
  expect(refused[0]!.headers['retry-after']).toBe('1')
  expect(refused[0]!.json().error).toMatch(/maximum queue size/)
  const other = loop(1, { source: 'modest' })
  over.abort()
  await many
  expect(await other).toMatchObject({ status: 200 })
  await until(() => underWay() === 0)
}, 60_000)

test('one that is not begun within its timeout is refused; one that is begun is finished', async () => {
  await until(() => inLane() === 0)
  const alone = await loop(10 * tenth, { parameters: { timeout: 500_000 } })
  expect(alone.status).toBe(200)
  await until(() => inLane() === 0)
  const over = new AbortController()
  const long = loop(30 * tenth, { signal: over.signal }).catch(error => error.name)
  await until(() => inLane() === 1)
  const late = await loop(1, { parameters: { timeout: 200_000 } })
  expect(late.status).toBe(503)
  expect(late.json().error).toMatch(/not begun within its timeout/)
  over.abort()
  expect(await long).toBe('AbortError')
}, 60_000)

test('what nobody waits for any more is computed no more, whoever hangs up', async () => {
  const dropped = (): number => sources().reduce((sum, source) => sum + source.dropped, 0)
  await until(() => inLane() === 0)
  const before = dropped()
  const over = new AbortController()
  const given = Promise.all(
    Array.from({ length: 5 }, () => loop(4 * tenth, { signal: over.signal }).catch(error => error.name))
  )
  await until(() => underWay() === 5)
  over.abort()
  expect(await given).toEqual(Array(5).fill('AbortError'))
  await until(() => underWay() === 0)
  expect(dropped() - before).toBe(5)
  const x = {
    model_name: 'loop',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1], contents: { fp32_contents: [6 * tenth] } }]
  }
  const grpcCall = client.ModelInfer(x, () => {})
  await until(() => underWay() === 1)
  grpcCall.cancel()
  await until(() => underWay() === 0)
  const expired = new Promise<Json>(resolve =>
    client.ModelInfer(x, { deadline: Date.now() + 300 }, (error: Json) => resolve(error))
  )
  await until(() => underWay() === 1)
  expect(await expired).toMatchObject({ code: grpcStatus.DEADLINE_EXCEEDED })
  await until(() => underWay() === 0)
  expect(dropped() - before).toBe(7)
}, 60_000)

test('a connection is a source while it waits, and its seat is the next one’s', async () => {
  const anonymous = (): number => sources().filter(({ name }) => name.startsWith('client-')).length
  await Promise.all(Array.from({ length: 4 }, () => loop(1)))
  const before = anonymous()
  for (let i = 0; i < 30; i++) {
    const agent = new Agent({ keepAlive: false })
    await new Promise<void>((resolve, reject) => {
      const post = request(`${http}/v2/models/loop/infer`, { method: 'POST', agent }, answer =>
        answer.resume().once('end', () => resolve())
      )
      post.once('error', reject)
      post.end('{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1]}]}')
    })
  }
  expect(anonymous()).toBe(before)
}, 60_000)

const repository = (path: string, body: object = {}): Promise<Answer> =>
  ask(`${http}/v2/repository/${path}`, { body: JSON.stringify(body) })
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const stateOf = async (name: string): Promise<Json> =>
  (await repository('index')).json().find((entry: Json) => entry.name === name)

/** Files of models that clients brought, as long as they are kept. */
const uploads = (): readonly string[] => {
  const folder = join(cluster.folder, 'porch', 'models', 'uploads')
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.onnx'))
}

test('a model that a client brings is cut, placed and served; unloaded it is gone, and may come again', async () => {
  const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }] })
  const infer = () => ask(`${http}/v2/models/brought/infer`, { body })
  const loaded = await repository('models/brought/load', { parameters: { 'file:1/model.onnx': base64(mixerModel()) } })
  expect([loaded.status, loaded.body.toString()]).toEqual([200, ''])
  expect(await stateOf('brought')).toEqual({ name: 'brought', version: '1', state: 'READY', reason: '' })
  expect(await infer()).toMatchObject({ status: 200 })
  expect(await repository('models/brought/unload', { parameters: { unload_dependents: false } })).toMatchObject({
    status: 200
  })
  expect(await infer()).toMatchObject({ status: 404 })
  expect(await stateOf('brought')).toMatchObject({ state: 'UNAVAILABLE', reason: 'unloaded' })
  expect(uploads()).toEqual([])
  expect(await repository('models/brought/load')).toMatchObject({ status: 404 }) // nothing of it was kept
  const parameters = {
    'file:1/model.onnx': { bytes_param: Buffer.from(mixerModel()) },
    config: { string_param: '{"max_batch_size":8,"input":[{"name":"x","dims":[4]}]}' }
  }
  for (let i = 0; i < 2; i++) {
    await call(client, 'RepositoryModelLoad', { model_name: 'brought', parameters })
    expect(await stateOf('brought')).toMatchObject({ state: 'READY' })
    expect(uploads()).toHaveLength(1)
  }
  expect(await infer()).toMatchObject({ status: 200 })
  expect((await ask(`${http}/v2/models/brought/config`)).json()).toMatchObject({ max_batch_size: 8 })
  const batch = (size: number) => {
    const x = { name: 'x', datatype: 'FP32', shape: [size, 4], data: Array(4 * size).fill(1) }
    return ask(`${http}/v2/models/brought/infer`, { body: JSON.stringify({ inputs: [x] }) })
  }
  expect(await batch(8)).toMatchObject({ status: 200 })
  const over = await batch(9)
  expect([over.status, over.json().error]).toEqual([
    400,
    expect.stringMatching(/batch-size must be <= 8 for 'brought'/)
  ])
}, 60_000)

test('one file under two names is two models: unloaded by one it is still there by the other', async () => {
  const parameters = { 'file:1/model.onnx': base64(mixerModel()) }
  for (const name of ['first', 'alias'])
    expect(await repository(`models/${name}/load`, { parameters })).toMatchObject({ status: 200 })
  expect([(await stateOf('first')).state, (await stateOf('alias')).state]).toEqual(['READY', 'READY'])
  expect(await repository('models/first/unload')).toMatchObject({ status: 200 })
  expect(await stateOf('first')).toMatchObject({ state: 'UNAVAILABLE', reason: 'unloaded' })
  expect((await ask(`${http}/v2/models/first/ready`)).status).not.toBe(200)
  expect((await ask(`${http}/v2/models/alias/ready`)).status).toBe(200)
  expect((await stateOf('alias')).state).toBe('READY')
  expect(await repository('models/alias/unload')).toMatchObject({ status: 200 })
  await until(() => porch.status().placement.models['alias'] === undefined)
}, 60_000)

test('a model that is garbage, that does not say what it is, or that belongs to others is refused in words', async () => {
  const before = uploads()
  const load = (name: string, parameters: object) => repository(`models/${name}/load`, { parameters })
  const file = 'file:1/model.onnx'
  const answers = {
    garbage: await load('garbage', { [file]: base64(Buffer.from('this is no model at all, whoever says so')) }),
    half: await load('half', { [file]: base64(mixerModel().subarray(0, 200)) }),
    empty: await load('empty', { [file]: '' }),
    notBase64: await load('text', { [file]: '{}' }),
    nowhere: await load('nowhere', {}),
    badName: await load('..%2F..%2Fup', { [file]: base64(mixerModel()) }),
    notObeyed: await load('config', { config: '{"dynamic_batching":{"a":1}}', [file]: base64(mixerModel()) }),
    noBatches: await load('alone', { config: '{"max_batch_size":8}', [file]: base64(loopingModel()) }),
    badConfig: await load('config', { config: '{', [file]: base64(mixerModel()) }),
    twoFiles: await load('two', { [file]: '', 'file:2/model.onnx': '' })
  }
  expect(Object.fromEntries(Object.entries(answers).map(([name, { status }]) => [name, status]))).toEqual({
    ...{
      garbage: 400,
      half: 400,
      empty: 400,
      notBase64: 400,
      nowhere: 404,
      badName: 400,
      notObeyed: 400,
      noBatches: 400,
      badConfig: 400,
      twoFiles: 400
    }
  })
  expect(uploads()).toEqual(before)
  expect(answers.garbage.json().error).toMatch(/failed to load 'garbage'/)
  for (const { body } of Object.values(answers)) expect(body.toString()).not.toContain(cluster.folder)
  const others = await repository('models/loop/unload')
  expect(others).toMatchObject({ status: 400 })
  expect(others.json().error).toMatch(/another device of the cluster brought it, shed: ask there/)
  expect(await repository('models/none/unload')).toMatchObject({ status: 404 })
  expect((await loop(3)).status).toBe(200)
}, 60_000)

test('a name that another device gives to its own file is given to no other file, and to the same file it is', async () => {
  const load = (model: Uint8Array) =>
    repository('models/loop/load', { parameters: { 'file:1/model.onnx': base64(model) } })
  const refused = await load(mixerModel())
  expect(refused).toMatchObject({ status: 400 })
  expect(refused.json().error).toMatch(/'loop': the cluster has another file by that name, from shed/)
  expect((await loop(3)).json().outputs[0].data).toEqual([6])
  expect(await load(loopingModel())).toMatchObject({ status: 200 })
  expect((await loop(3)).json().outputs[0].data).toEqual([6])
  expect(await load(mixerModel())).toMatchObject({ status: 400 })
  expect(await repository('models/loop/unload')).toMatchObject({ status: 200 })
  expect((await loop(3)).json().outputs[0].data).toEqual([6])
}, 60_000)

test('what the operator brought a client neither unloads nor replaces, unless the operator lets it', async () => {
  const own = shed.serving!.http!
  const unload = (url: string) => ask(`${url}/v2/repository/models/loop/unload`, { body: '{}' })
  const load = (url: string) =>
    ask(`${url}/v2/repository/models/loop/load`, {
      body: JSON.stringify({ parameters: { 'file:1/model.onnx': base64(mixerModel()) } })
    })
  for (const answer of [await unload(own), await load(own)]) {
    expect(answer.status).toBe(400)
    expect(answer.json().error).toMatch(/this node was started with it, and its operator does not let clients/)
  }
  expect(await ask(`${own}/v2/repository/models/loop/load`, { body: '{}' })).toMatchObject({ status: 200 })
  expect((await loop(3)).status).toBe(200)
  await using open = servingCluster()
  const models = [modelOf(open.file('loop.onnx', loopingModel()), 'loop')]
  const attic = await open.start('attic', { models, serve: { http: 0, replace: true } })
  await untilReady(attic.serving!.http!, 'loop')
  expect(await load(attic.serving!.http!)).toMatchObject({ status: 200 })
  expect((await ask(`${attic.serving!.http}/v2/models/loop`)).json().inputs[0].shape).toEqual([-1, 4])
  expect(await unload(attic.serving!.http!)).toMatchObject({ status: 200 })
}, 60_000)

test('what clients brought to a process that was killed is deleted at the next start, and what Frigate brought is kept', async () => {
  await using later = servingCluster()
  const models = join(later.folder, 'attic', 'models')
  for (const folder of ['uploads/1', 'frigate']) mkdirSync(join(models, folder), { recursive: true })
  for (const file of ['uploads/1/left.onnx', 'frigate/kept.onnx']) writeFileSync(join(models, file), mixerModel())
  await later.start('attic', { serve: { http: 0 } })
  expect([existsSync(join(models, 'uploads')), existsSync(join(models, 'frigate', 'kept.onnx'))]).toEqual([false, true])
}, 60_000)

test('a model of the folder whose dimensions are open says what a client is to send', async () => {
  await using other = servingCluster()
  const open = buildModel({
    inputs: [value('x', T.FLOAT, ['N', 3, 'H', 'W'])],
    outputs: [value('y', T.FLOAT, ['N', 3, 'H', 'W'])],
    nodes: [node('Relu', ['x'], ['y'])]
  })
  other.file('open.onnx', open)
  const attic = await other.start('attic', { serve: { http: 0, models: other.folder } })
  const load = (parameters: object) =>
    ask(`${attic.serving!.http}/v2/repository/models/open/load`, { body: JSON.stringify({ parameters }) })
  const refused = await load({})
  expect(refused.status).toBe(400)
  const { error } = refused.json()
  expect(error).toMatch(/has the dynamic shape \[N, 3, H, W\]; send its dims in the parameter 'config'/)
  expect(error).not.toMatch(/--|with shape/)
  const config = /\{.*\}/.exec(error)![0]
  expect(await load({ config })).toMatchObject({ status: 200 })
  const whole = { body: new Uint8Array(4 * 3 * 224 * 224), headers: { 'Inference-Header-Content-Length': '0' } }
  const answer = await ask(`${attic.serving!.http}/v2/models/open/infer`, whole)
  expect([answer.status, answer.headers['inference-header-content-length'] !== undefined]).toEqual([200, true])
}, 60_000)

test('a timeout counts from the head of a request, however slowly its body comes', async () => {
  const body = JSON.stringify({
    parameters: { timeout: 200_000 },
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }]
  })
  const late = await new Promise<number | undefined>((resolve, reject) => {
    const post = request(`${http}/v2/models/loop/infer`, { method: 'POST' }, answer => {
      answer.resume()
      resolve(answer.statusCode)
    })
    post.once('error', reject)
    post.write(body.slice(0, 20))
    setTimeout(() => post.end(body.slice(20)), 400)
  })
  expect(late).toBe(503)
}, 60_000)

test('a model that no device has room for is refused in words, and gone', async () => {
  await using small = servingCluster()
  const tiny = await small.start('tiny', { memory: 100, serve: { http: 0 } })
  const url = tiny.serving!.http!
  const parameters = { 'file:1/model.onnx': base64(mixerModel()) }
  const answer = await ask(`${url}/v2/repository/models/big/load`, { body: JSON.stringify({ parameters }) })
  expect(answer.status).toBe(400)
  expect(answer.json().error).toMatch(/failed to load 'big': block \d of \d+ fits nowhere/)
  expect((await ask(`${url}/v2/models/big`)).status).toBe(404)
}, 60_000)
