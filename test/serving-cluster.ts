import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { request } from 'undici'
import { type Cluster, joinCluster } from '../src/library/join-cluster.ts'
import type { JoinOptions, ModelOptions } from '../src/library/join-options.ts'

/** A client's view of an answer. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  readonly json: () => Json
}

/** Whatever the protocol answers with: tests look for what they expect. */
// biome-ignore lint/suspicious/noExplicitAny: it is a foreign program's view
export type Json = any

/** Devices that serve, in this process, with real engines and servers. */
export interface ServingCluster extends AsyncDisposable {
  readonly folder: string
  /** A file in its folder. */
  file(name: string, bytes: Uint8Array): string
  start(name: string, options?: JoinOptions): Promise<Cluster>
  clusters(): readonly Cluster[]
}

export const servingCluster = (): ServingCluster => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-serving-'))
  const clusters: Cluster[] = []
  return {
    folder,
    file: (name, bytes) => {
      writeFileSync(join(folder, name), bytes)
      return join(folder, name)
    },
    clusters: () => clusters,
    start: async (name, options = {}) => {
      const first = clusters[0]
      const cluster = await joinCluster({
        ...{ name, state: join(folder, name), listen: '127.0.0.1:0', mdns: false },
        ...(first === undefined ? {} : { join: first.invite() }),
        ...options
      })
      clusters.push(cluster)
      return cluster
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clusters.map(cluster => cluster.stop({ patience: 0 })))
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}

export const modelOf = (file: string, name: string, more: Partial<ModelOptions> = {}): ModelOptions => ({
  file,
  name,
  ...more
})

/** As clients do it that say no content type. */
export const ask = async (
  url: string,
  options: {
    readonly method?: 'GET' | 'POST'
    readonly body?: string | Uint8Array
    readonly headers?: Readonly<Record<string, string>>
    readonly signal?: AbortSignal
  } = {}
): Promise<Answer> => {
  const { body, headers = {}, signal } = options
  const method = options.method ?? (body === undefined ? 'GET' : 'POST')
  const answer = await request(url, { method, body: body ?? null, headers: { ...headers }, signal: signal ?? null })
  const bytes = Buffer.from(await answer.body.arrayBuffer())
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: bytes,
    json: () => JSON.parse(bytes.toString())
  }
}

/** Until a model can be asked. */
export const untilReady = async (http: string, model: string): Promise<void> => {
  for (let tries = 0; ; tries++) {
    const { status } = await ask(`${http}/v2/models/${model}/ready`)
    if (status === 200) return
    if (tries > 600) throw new Error(`${model} does not become ready: ${status}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** JSON and tensors behind it. */
export const binaryBody = (
  json: object,
  ...tensors: readonly ArrayBufferView[]
): { readonly body: Buffer; readonly headers: Readonly<Record<string, string>> } => {
  const head = Buffer.from(JSON.stringify(json))
  const parts = tensors.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength))
  return {
    body: Buffer.concat([head, ...parts]),
    headers: { 'Inference-Header-Content-Length': String(head.byteLength) }
  }
}

/** The outputs of an answer, each as bytes, by name. */
export const binaryOutputs = ({ headers, body }: Pick<Answer, 'headers' | 'body'>): Record<string, Buffer> => {
  const header = Number(headers['inference-header-content-length'])
  const { outputs } = JSON.parse(body.subarray(0, header).toString())
  let at = header
  const found: Record<string, Buffer> = {}
  for (const { name, parameters } of outputs) {
    at += parameters.binary_data_size
    found[name] = body.subarray(at - parameters.binary_data_size, at)
  }
  return found
}

export const floatsIn = (bytes: Uint8Array): number[] => [...new Float32Array(Uint8Array.from(bytes).buffer)]

/** As another program would make one of the protocol's definition, by a package that reads such files. */
export const grpcClient = (
  address: string,
  credentials = grpc.credentials.createInsecure(),
  options: grpc.ClientOptions = {}
): Json => {
  const definition = loadSync('proto/inference/inference.proto', { keepCase: true, longs: Number, defaults: true })
  const { inference } = grpc.loadPackageDefinition(definition) as Json
  return new inference.GRPCInferenceService(address, credentials, {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    ...options
  })
}

export const call = (client: Json, method: string, request: object, metadata = new grpc.Metadata()): Promise<Json> =>
  new Promise((resolve, reject) =>
    client[method](request, metadata, (error: Error | null, answer: unknown) =>
      error === null ? resolve(answer) : reject(error)
    )
  )
