import { connect, type Socket } from 'node:net'
import { Metadata, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mixerModel } from '../../src/testing/serving-models.ts'
import { ask, binaryBody, call, floatsIn, grpcClient, type Json, modelOf, servingCluster } from '../serving-cluster.ts'

const TOKEN = 'a-token-of-the-door'
const LIMIT = 2 ** 20
/** At once, of one door. */
const CONNECTIONS = 1024

const cluster = servingCluster()
let http: string
let grpc: string
const clients: Json[] = []
const sockets: Socket[] = []

const client = (options: object = {}): Json => {
  const made = grpcClient(grpc, undefined, options)
  clients.push(made)
  return made
}

const bearer = (token: string): Metadata => {
  const metadata = new Metadata()
  metadata.set('authorization', `Bearer ${token}`)
  return metadata
}

const asked = (elements: number) => ({
  model_name: 'mixer',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [elements / 4, 4] }],
  raw_input_contents: [Buffer.alloc(4 * elements)]
})

/** Tries again while the model is being loaded. */
const answered = async (): Promise<Json> => {
  for (;;) {
    const answer = await call(client(), 'ModelInfer', asked(4), bearer(TOKEN)).catch(error => error)
    if (answer.code !== status.UNAVAILABLE) return answer
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

beforeAll(async () => {
  const models = [modelOf(cluster.file('mixer.onnx', mixerModel()), 'mixer')]
  const { serving } = await cluster.start('shed', { models, serve: { http: 0, grpc: 0, token: TOKEN, limit: LIMIT } })
  http = serving!.http!
  grpc = serving!.grpc!
  expect((await answered()).outputs).toHaveLength(2)
})
afterAll(async () => {
  for (const one of clients) one.close()
  for (const socket of sockets) socket.destroy()
  await cluster[Symbol.asyncDispose]()
})

test('over gRPC who does not bring the token is refused, but may ask whether the server lives', async () => {
  const other = client()
  const refused = { code: status.UNAUTHENTICATED }
  await expect(call(other, 'ModelInfer', asked(4))).rejects.toMatchObject(refused)
  await expect(call(other, 'ModelInfer', asked(4), bearer('another-token'))).rejects.toMatchObject(refused)
  await expect(call(other, 'RepositoryIndex', {}, bearer('another-token'))).rejects.toMatchObject(refused)
  expect(await call(other, 'ServerLive', {})).toEqual({ live: true })
})

test('over gRPC a message that unpacks to more than the limit is refused, and others are answered', async () => {
  const packed = client({ 'grpc.default_compression_algorithm': 2 })
  const bomb = asked(16 * LIMIT)
  await expect(call(packed, 'ModelInfer', bomb, bearer(TOKEN))).rejects.toMatchObject({
    code: status.RESOURCE_EXHAUSTED
  })
  expect((await answered()).outputs).toHaveLength(2)
})

test('over gRPC connections that say nothing keep nobody out', async () => {
  const [host = '', port] = grpc.split(':')
  let ended = 0
  for (let i = 0; i < CONNECTIONS + 200; i++) {
    const socket = connect(Number(port), host)
    socket
      .resume()
      .on('error', () => {})
      .on('close', () => ended++)
    sockets.push(socket)
    await new Promise(resolve => socket.once('connect', resolve).once('close', resolve))
  }
  expect((await answered()).outputs).toHaveLength(2)
  await expect.poll(() => ended).toBeGreaterThanOrEqual(200)
})

test('NaN among binary data is computed with, as ONNX Runtime does, and the next request is answered', async () => {
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 4], parameters: { binary_data_size: 16 } }]
  const infer = async (...x: number[]): Promise<readonly number[]> => {
    const { body, headers } = binaryBody(
      { inputs, outputs: [{ name: 'y', parameters: { binary_data: true } }] },
      Float32Array.from(x)
    )
    const answer = await ask(`${http}/v2/models/mixer/infer`, {
      body,
      headers: { ...headers, authorization: `Bearer ${TOKEN}` }
    })
    expect(answer.status).toBe(200)
    return floatsIn(answer.body.subarray(Number(answer.headers['inference-header-content-length'])))
  }
  expect(await infer(Number.NaN, 1, 1, 1)).toHaveLength(3)
  expect((await infer(1, 1, 1, 1)).every(Number.isFinite)).toBe(true)
})
