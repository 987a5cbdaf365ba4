/**
 * What a request takes of the processor, which a machine with other work tells too: the bare handler, the same with its runtime in
 * a thread, and a node. Eight clients, interleaved. `node dist/bench/serving-processor.js MODEL.onnx 1x256 [seconds]`; on Linux.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { startNode } from '../src/testing/node-process.ts'
import { median } from './median.ts'
import { processorTime } from './peers/processor-time.ts'

const CLIENTS = 8
const ROUNDS = 5
const WARM_UP = 2000

const [file = '', dims = '', seconds = '2'] = process.argv.slice(2)
if (file === '' || dims === '') throw new Error('usage: serving-processor MODEL.onnx 1x256 [seconds]')
const shape = dims.split('x').map(Number)
const tensor = Buffer.from(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.25).buffer)

interface Peer {
  readonly name: string
  readonly child: ChildProcess
  readonly ask: () => Promise<void>
  readonly rates: number[]
  readonly costs: number[]
}

const children: ChildProcess[] = []

const peer = (
  name: string,
  child: ChildProcess,
  port: number,
  path: string,
  body: Buffer,
  headers: Record<string, string>
): Peer => {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: CLIENTS })
  const ask = async (): Promise<void> => {
    const { statusCode, body: answer } = await pool.request({ method: 'POST', path, body, headers })
    const bytes = await answer.arrayBuffer()
    if (statusCode !== 200) throw new Error(`${name}: ${statusCode} ${Buffer.from(bytes)}`)
  }
  return { name, child, ask, rates: [], costs: [] }
}

const bare = async (name: string, script: string): Promise<Peer> => {
  const path = fileURLToPath(new URL(`./serving/${script}.js`, import.meta.url))
  const child = spawn(process.execPath, [path, file, dims, '1'], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  const port = await new Promise<string>(resolve => createInterface({ input: child.stdout! }).once('line', resolve))
  return peer(name, child, Number(port), '/infer', tensor, { 'content-type': 'application/octet-stream' })
}

const node = async (state: string): Promise<Peer> => {
  const flags = ['--state', state, '--model', `${file}:m`, '--blocks', '1', '--threads', '1', '--serve', '0']
  const { child, event } = startNode('bench', flags)
  children.push(child)
  const { http } = (await event('serving')) as unknown as { readonly http: { readonly port: number } }
  const at = `http://127.0.0.1:${http.port}/v2/models/m`
  while (!(await fetch(`${at}/ready`)).ok) await new Promise(resolve => setTimeout(resolve, 100))
  const { inputs } = (await (await fetch(at)).json()) as { readonly inputs: readonly { readonly name: string }[] }
  const [{ name }] = inputs as [{ readonly name: string }]
  const input = { name, datatype: 'FP32', shape, parameters: { binary_data_size: tensor.byteLength } }
  const head = Buffer.from(JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } }))
  const headers = { 'Inference-Header-Content-Length': String(head.byteLength) }
  return peer('Tributary', child, http.port, '/v2/models/m/infer', Buffer.concat([head, tensor]), headers)
}

/** @returns answers */
const load = async (ask: () => Promise<void>, isOver: (answers: number) => boolean): Promise<number> => {
  let answers = 0
  const client = async (): Promise<void> => {
    while (!isOver(answers)) {
      await ask()
      answers++
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  return answers
}

const measure = async ({ child, ask, rates, costs }: Peer): Promise<void> => {
  const used = processorTime([child.pid!])
  const begun = performance.now()
  const answers = await load(ask, () => performance.now() - begun >= 1000 * Number(seconds))
  rates.push((1000 * answers) / (performance.now() - begun))
  costs.push((1000 * (processorTime([child.pid!]) - used)) / answers)
}

const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-processor-'))
try {
  const peers = [
    await bare('bare handler', 'bare-server'),
    await bare('bare, run in a thread', 'threaded-server'),
    await node(join(folder, 'state'))
  ]
  for (const { ask } of peers) await load(ask, answers => answers >= WARM_UP)
  for (let round = 0; round < ROUNDS; round++) for (const one of peers) await measure(one)
  for (const { name, rates, costs } of peers) {
    const [rate, cost] = [median(rates), median(costs)]
    process.stdout.write(`${name.padEnd(22)} ${rate.toFixed(0).padStart(6)}/s  ${cost.toFixed(3).padStart(7)} ms\n`)
  }
} finally {
  for (const child of children) child.kill()
  rmSync(folder, { recursive: true, force: true })
}
