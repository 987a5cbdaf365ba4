/**
 * One node that serves a whole model, beside a bare handler of fastify and onnxruntime-node, and beside onnxruntime-node called
 * directly: answers a second and times of answers, of eight clients, interleaved. `node dist/bench/serving.js [--json] [seconds]`
 * after `npm run build`.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { create, toBinary } from '@bufbuild/protobuf'
import { TensorProto_DataType as T } from 'onnx-buf'
import { Pool } from 'undici'
import { writeZooModel } from '../src/model/files/write-zoo-model.ts'
import { zooGraph } from '../src/model/zoo/zoo.ts'
import { ModelInferRequestSchema } from '../src/runtime/generated/inference/inference_pb.ts'
import { startNode } from '../src/testing/node-process.ts'
import { buildModel, floats, ints, node, value } from '../src/testing/onnx-builder.ts'
import { judge } from './judge.ts'
import { median, quantile } from './median.ts'

const CLIENTS = 8
const ROUNDS = 5
const SECONDS = Number(process.argv.slice(2).find(word => /^\d+$/.test(word)) ?? 3)
const THREADS = '1'
/** Of the bare handler's rate. */
const LEAST = 0.9

interface Case {
  readonly name: string
  readonly file: string
  readonly dims: readonly number[]
  /** Name of the model's input. */
  readonly input: string
}

const mlp = (): Uint8Array =>
  buildModel({
    inputs: [value('x', T.FLOAT, [1, 256])],
    outputs: [value('y', T.FLOAT, [1, 256])],
    weights: ['a', 'bb', 'ccc'].map(name => floats(name, [256, 256], 0.05)),
    nodes: [
      node('MatMul', ['x', 'a'], ['x1']),
      node('Relu', ['x1'], ['x2']),
      node('MatMul', ['x2', 'bb'], ['x3']),
      node('Relu', ['x3'], ['x4']),
      node('MatMul', ['x4', 'ccc'], ['y'])
    ]
  })

/** Some five million products: what a classifier of sensor readings takes. */
const sensor = (): Uint8Array => {
  const widths = [256, 1024, 1024, 1024, 1024, 256]
  const layers = widths.slice(1).map((width, i) => ({ from: widths[i]!, width, name: `w${'w'.repeat(i)}` }))
  return buildModel({
    inputs: [value('x', T.FLOAT, [1, 256])],
    outputs: [value('y', T.FLOAT, [1, 256])],
    weights: layers.map(({ from, width, name }) => floats(name, [from, width], 0.03)),
    nodes: layers.flatMap(({ name }, i) => [
      node('MatMul', [i === 0 ? 'x' : `r${i}`, name], [`m${i}`]),
      node('Relu', [`m${i}`], [i === layers.length - 1 ? 'y' : `r${i + 1}`])
    ])
  })
}

const small = (): Uint8Array =>
  buildModel({
    inputs: [value('x', T.FLOAT, [1, 3, 224, 224])],
    outputs: [value('y', T.FLOAT, [1, 16, 1, 1])],
    weights: [floats('w', [16, 3, 8, 8], 0.05)],
    nodes: [
      node('Conv', ['x', 'w'], ['a'], [ints('strides', [8, 8])]),
      node('Relu', ['a'], ['b']),
      node('GlobalAveragePool', ['b'], ['y'])
    ]
  })

const casesIn = async (folder: string): Promise<readonly Case[]> => {
  const put = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, name), bytes)
    return join(folder, name)
  }
  const mobilenet = join(folder, 'mobilenet.onnx')
  await writeZooModel(zooGraph('mobilenetv2'), mobilenet, { seed: 1 })
  return [
    { name: '1 KB, three small products', file: put('mlp.onnx', mlp()), dims: [1, 256], input: 'x' },
    { name: '1 KB, five layers', file: put('sensor.onnx', sensor()), dims: [1, 256], input: 'x' },
    { name: '600 KB, one convolution', file: put('small.onnx', small()), dims: [1, 3, 224, 224], input: 'x' },
    { name: '600 KB, MobileNetV2', file: mobilenet, dims: [1, 3, 224, 224], input: 'input' }
  ]
}

/** Asks once; resolves when it is answered. */
type Ask = () => Promise<unknown>

interface Peer {
  readonly name: string
  readonly ask: Ask
}

/** Answers a second, and how long each took in milliseconds. */
const load = async (
  ask: Ask,
  seconds: number
): Promise<{ readonly rate: number; readonly times: readonly number[] }> => {
  const times: number[] = []
  const begun = performance.now()
  const client = async (): Promise<void> => {
    while (performance.now() - begun < seconds * 1000) {
      const start = performance.now()
      await ask()
      times.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  return { rate: times.length / ((performance.now() - begun) / 1000), times }
}

const poster = (origin: string, path: string, body: Buffer, headers: Record<string, string>): Ask => {
  const pool = new Pool(origin, { connections: CLIENTS })
  return async () => {
    const { statusCode, body: answer } = await pool.request({ method: 'POST', path, body, headers })
    const bytes = await answer.arrayBuffer()
    if (statusCode !== 200) throw new Error(`${path}: ${statusCode} ${Buffer.from(bytes)}`)
  }
}

const overHttp = (origin: string, { dims, input: name }: Case, tensor: Buffer): Ask => {
  const input = { name, datatype: 'FP32', shape: dims, parameters: { binary_data_size: tensor.byteLength } }
  const head = Buffer.from(JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } }))
  const headers = { 'Inference-Header-Content-Length': String(head.byteLength) }
  return poster(origin, '/v2/models/m/infer', Buffer.concat([head, tensor]), headers)
}

/** Over bare HTTP/2, with windows that a whole request fits in: a client of grpc-js would be what limits. */
const overGrpc = (port: string | number, { dims, input: name }: Case, tensor: Buffer): Ask => {
  const sessions = Array.from({ length: CLIENTS }, () =>
    connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 2 ** 22 } })
  )
  const request = create(ModelInferRequestSchema, {
    modelName: 'm',
    inputs: [{ name, datatype: 'FP32', shape: dims.map(BigInt) }],
    rawInputContents: [tensor]
  })
  const headers = {
    ...{ ':method': 'POST', ':path': '/inference.GRPCInferenceService/ModelInfer' },
    ...{ 'content-type': 'application/grpc', te: 'trailers' }
  }
  let next = 0
  return () =>
    new Promise((resolve, reject) => {
      const message = toBinary(ModelInferRequestSchema, request)
      const frame = Buffer.alloc(5 + message.byteLength)
      frame.writeUInt32BE(message.byteLength, 1)
      frame.set(message, 5)
      const stream = sessions[next++ % CLIENTS]!.request(headers)
      let status: unknown
      stream.on('trailers', trailers => {
        status = trailers['grpc-status']
      })
      stream.on('error', reject).on('close', () => (status === '0' ? resolve(status) : reject(new Error(`${status}`))))
      stream.resume().end(frame)
    })
}

const here = (name: string): string => fileURLToPath(new URL(`./serving/${name}.js`, import.meta.url))
const children: ChildProcess[] = []

/** @param server a program beside this one @returns its port */
const spawned = (server: string, { file, dims }: Case): Promise<string> => {
  const child = spawn(process.execPath, [here(server), file, dims.join('x'), THREADS], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  children.push(child)
  return new Promise(resolve => createInterface({ input: child.stdout! }).once('line', resolve))
}

const bare = async (of: Case, tensor: Buffer): Promise<readonly Peer[]> => {
  const headers = { 'content-type': 'application/octet-stream' }
  const http = await spawned('bare-server', of)
  const grpc = await spawned('bare-grpc-server', of)
  return [
    { name: 'bare handler', ask: poster(`http://127.0.0.1:${http}`, '/infer', tensor, headers) },
    { name: 'bare, grpc-js', ask: overGrpc(grpc, of, tensor) }
  ]
}

const served = async (of: Case, tensor: Buffer, folder: string): Promise<readonly Peer[]> => {
  const flags = [
    '--state',
    join(folder, `state-${of.name}`),
    '--model',
    `${of.file}:m`,
    '--blocks',
    '1',
    '--threads',
    THREADS
  ]
  const started = startNode('bench', [...flags, '--serve', '0', '--serve-grpc', '0'])
  children.push(started.child)
  const at = (await started.event('serving')) as unknown as Record<'http' | 'grpc', { readonly port: number }>
  const http = `http://127.0.0.1:${at.http.port}`
  await ready(`${http}/v2/models/m/ready`)
  return [
    { name: 'Tributary, HTTP', ask: overHttp(http, of, tensor) },
    { name: 'Tributary, gRPC', ask: overGrpc(at.grpc.port, of, tensor) }
  ]
}

const ready = async (url: string): Promise<void> => {
  for (;;) {
    const answer = await fetch(url)
    await answer.arrayBuffer()
    if (answer.ok) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

const direct = async ({ file, dims }: Case): Promise<number> => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    here('direct'),
    file,
    dims.join('x'),
    THREADS,
    String(SECONDS)
  ])
  return Number(stdout)
}

const measure = async (of: Case, folder: string) => {
  const size = of.dims.reduce((a, b) => a * b, 1)
  const tensor = Buffer.from(new Float32Array(size).fill(0.25).buffer)
  const peers = [...(await bare(of, tensor)), ...(await served(of, tensor, folder))]
  const rates = new Map(peers.map(({ name }) => [name, [] as number[]]))
  const times = new Map(peers.map(({ name }) => [name, [] as number[]]))
  const directly: number[] = []
  for (const { ask } of peers) await load(ask, 1)
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, ask } of peers) {
      const { rate, times: took } = await load(ask, SECONDS)
      rates.get(name)!.push(rate)
      times.get(name)!.push(...took)
    }
    directly.push(await direct(of))
  }
  for (const child of children.splice(0)) child.kill()
  const base = rates.get('bare handler')!
  const rows = peers.map(({ name }) => ({
    ...{ case: of.name, name },
    rate: median(rates.get(name)!),
    ofBare: median(rates.get(name)!.map((rate, round) => rate / base[round]!)),
    p50: quantile(times.get(name)!, 0.5),
    p99: quantile(times.get(name)!, 0.99)
  }))
  return [
    ...rows,
    {
      case: of.name,
      name: 'directly, one caller',
      rate: median(directly),
      ofBare: median(directly.map((rate, round) => rate / base[round]!)),
      p50: 1000 / median(directly),
      p99: Number.NaN
    }
  ]
}

const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-serving-'))
try {
  const rows = []
  for (const of of await casesIn(folder)) rows.push(...(await measure(of, folder)))
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ clients: CLIENTS, rows }, null, 2)}\n`)
  else {
    process.stdout.write(
      `one node that serves a model whole, ${CLIENTS} clients, ${ROUNDS} rounds of ${SECONDS} s, medians\n`
    )
    for (const { case: of, name, rate, ofBare, p50, p99 } of rows)
      process.stdout.write(
        `${of.padEnd(28)} ${name.padEnd(22)} ${rate.toFixed(1).padStart(8)}/s ${ofBare.toFixed(2).padStart(6)} of bare  p50 ${p50.toFixed(1)} ms  p99 ${Number.isNaN(p99) ? '-' : p99.toFixed(1)} ms\n`
      )
  }
  const worst = Math.min(...rows.filter(({ name }) => name.startsWith('Tributary')).map(({ ofBare }) => ofBare))
  process.stderr.write(judge('worst, of the rate of the bare handler:', worst.toFixed(2), worst, { atLeast: LEAST }))
} finally {
  for (const child of children) child.kill()
  rmSync(folder, { recursive: true, force: true })
}
