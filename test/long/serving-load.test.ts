import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TensorProto_DataType as T } from 'onnx-buf'
import { Pool } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildModel, floats, node, value } from '../../src/testing/onnx-builder.ts'
import { untilReady } from '../serving-cluster.ts'
import { start } from '../started-nodes.ts'

/** Seconds. */
const LASTS = Number(process.env['TRIBUTARY_LONG_LOAD'] ?? 600)
const WINDOW = LASTS / 20
const LOAD = 0.9
const CLIENTS = 8

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-load-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

/** A few milliseconds of products. */
const model = (): Uint8Array => {
  const layers = Array.from({ length: 12 }, (_, i) => `w${'w'.repeat(i)}`)
  return buildModel({
    inputs: [value('x', T.FLOAT, [1, 1024])],
    outputs: [value('y', T.FLOAT, [1, 1024])],
    weights: layers.map(name => floats(name, [1024, 1024], 0.03)),
    nodes: layers.map((name, i) =>
      node('MatMul', [i === 0 ? 'x' : `m${i}`, name], [i === layers.length - 1 ? 'y' : `m${i + 1}`])
    )
  })
}

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))]!
const median = (values: readonly number[]): number => quantile(values, 0.5)
/** Kilobytes. */
const resident = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])

test('ten minutes at 90 % of what it can: no error, no growth, and the slowest of a hundred as slow as at first', async () => {
  const file = join(folder, 'products.onnx')
  writeFileSync(file, model())
  const shed = start('shed', ['--state', join(folder, 'shed'), '--model', `${file}:m`, '--blocks', '1', '--serve', '0'])
  const { http } = (await shed.event('serving')) as { readonly http: { readonly port: number } }
  const origin = `http://127.0.0.1:${http.port}`
  await untilReady(origin, 'm')
  const pool = new Pool(origin, { connections: 256 })
  const x = Buffer.from(new Float32Array(1024).fill(0.01).buffer)
  const head = Buffer.from(
    JSON.stringify({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1024], parameters: { binary_data_size: x.byteLength } }],
      parameters: { binary_data_output: true }
    })
  )
  const body = Buffer.concat([head, x])
  const headers = { 'Inference-Header-Content-Length': String(head.byteLength) }
  const failures: string[] = []
  const infer = async (): Promise<void> => {
    const answer = await pool.request({ method: 'POST', path: '/v2/models/m/infer', body, headers })
    const bytes = await answer.body.arrayBuffer()
    if (answer.statusCode !== 200) failures.push(`${answer.statusCode} ${Buffer.from(bytes)}`)
  }
  const capacity = async (seconds: number): Promise<number> => {
    const begun = performance.now()
    let answered = 0
    const client = async (): Promise<void> => {
      for (; performance.now() - begun < 1000 * seconds; answered++) await infer()
    }
    await Promise.all(Array.from({ length: CLIENTS }, client))
    return (1000 * answered) / (performance.now() - begun)
  }
  await capacity(10)
  const rate = LOAD * (await capacity(20))
  const windows: { readonly p99: number; readonly resident: number }[] = []
  const open = new Set<Promise<void>>()
  let times: number[] = []
  const begun = performance.now()
  for (let i = 0, lasted = 0; lasted < LASTS; i++) {
    const due = begun + (1000 * i) / rate
    if (due > performance.now()) await new Promise(resolve => setTimeout(resolve, due - performance.now()))
    const one: Promise<void> = infer().then(() => {
      times.push(performance.now() - due)
      open.delete(one)
    })
    open.add(one)
    lasted = (performance.now() - begun) / 1000
    if (lasted < (windows.length + 1) * WINDOW) continue
    windows.push({ p99: quantile(times, 0.99), resident: resident(shed.child.pid!) })
    times = []
  }
  await Promise.all(open)
  await pool.close()
  console.log(`${rate.toFixed(0)} a second; p99 ${windows.map(({ p99 }) => p99.toFixed(0)).join(' ')} ms`)
  expect(failures).toEqual([])
  const [early, late] = [windows.slice(1, 6), windows.slice(-5)]
  expect(median(late.map(({ p99 }) => p99))).toBeLessThan(2 * median(early.map(({ p99 }) => p99)) + 5)
  expect(median(late.map(one => one.resident))).toBeLessThan(1.1 * median(early.map(one => one.resident)) + 10_000)
})
