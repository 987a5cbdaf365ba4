import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { madeUpTensor } from '../src/core/made-up-tensor.ts'
import { createRng } from '../src/core/rng.ts'
import { writeZooModel } from '../src/model/files/write-zoo-model.ts'
import { zooGraph } from '../src/model/zoo/zoo.ts'
import type { ClusterStatus } from '../src/runtime/device/device-status.ts'
import { openModel } from '../src/runtime/onnx/open-model.ts'
import type { NodeProcess } from '../src/testing/node-process.ts'
import { start } from './started-nodes.ts'

// A source with real tensors and real processes on loopback. ResNet-56, seeded weights; every result is compared with what
// plain ONNX Runtime computes on the same input.

export const DATA = 60
export let folder: string
let model: string
let answers: Map<string, number[]>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-failures-'))
  model = join(folder, 'resnet56.onnx')
  await writeZooModel(zooGraph('resnet56'), model, { seed: 1 })
  await mkdir(join(folder, 'data'))
  const whole = await openModel(model)
  const [input] = whole.inputs
  const dims = input!.shape as number[]
  answers = new Map()
  for (let i = 0; i < DATA; i++) {
    const tensor = madeUpTensor(input!.name, 'float32', dims, createRng(`datum ${i}`))
    const name = `datum-${String(i).padStart(3, '0')}.npy`
    await writeFile(join(folder, 'data', name), npy(dims, tensor.data))
    const [output] = await whole.run([tensor])
    answers.set(name, Array.from(new Float32Array(output!.data.buffer)))
  }
  await whole.close()
})

afterAll(() => rm(folder, { recursive: true, force: true }))

/** The .npy format, version 1: a header of text padded to 64 bytes, then the elements. */
const npy = (dims: readonly number[], data: Uint8Array): Buffer => {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dims.join(', ')},), }`
  const header = `${text.padEnd(118 - 1)}\n`
  const lead = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8])
  return Buffer.concat([lead, Buffer.from(header, 'latin1'), data])
}

let cluster = 0
/** A source device that owns the model, and workers; the source begins when `ready` devices are ready. */
export const open = async (
  workers: readonly string[],
  { ready = workers.length + 1, source = [] as readonly string[], worker = [] as readonly string[] } = {}
) => {
  const home = join(folder, `cluster-${cluster++}`)
  await mkdir(home)
  const sink = join(home, 'sink.jsonl')
  const flags = [
    ...['--state', join(home, 'cam'), '--model', `${model}:net`, '--preset', 'raw', '--sink', sink, '--speed', '0.03'],
    ...['--source', `cam=dir:${join(folder, 'data')},model=net,window=8`, '--start-when', String(ready), ...source]
  ]
  const cam = start('cam', flags)
  const { invite } = await cam.event('listening')
  const join_ = (name: string, more: readonly string[] = worker): NodeProcess =>
    start(name, ['--state', join(home, name), '--join', String(invite), '--speed', '0.03', ...more])
  const nodes = workers.map(name => join_(name))
  return { home, sink, flags, cam, invite: String(invite), join: join_, nodes }
}

export interface Line {
  readonly datum: number
  readonly item: string
  readonly attempts: number
}

/** Every datum has exactly one line, with the right values. */
export const checkSink = async (sink: string): Promise<Line[]> => {
  const text = await readFile(sink, 'utf8')
  const lines = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(new Set(lines.map(line => line.item)).size).toBe(lines.length)
  expect(lines).toHaveLength(DATA)
  for (const { item, result } of lines) {
    const values = numbersIn(result)
    const expected = answers.get(item)!
    expect(values).toHaveLength(expected.length)
    const largest = Math.max(...expected.map(Math.abs))
    for (const [i, v] of values.entries()) expect(Math.abs(v - expected[i]!)).toBeLessThanOrEqual(1e-5 * largest)
  }
  return lines
}

/** The numbers of an inline result, however it is wrapped. */
const numbersIn = (result: unknown): number[] => {
  if (typeof result === 'number') return [result]
  if (Array.isArray(result)) return result.flatMap(numbersIn)
  if (typeof result !== 'object' || result === null) return []
  const { data } = result as { data?: unknown }
  return data === undefined
    ? Object.values(result).flatMap(v => (typeof v === 'object' ? numbersIn(v) : []))
    : numbersIn(data)
}

export const cam = (status: ClusterStatus) => status.sources.find(source => source.name === 'cam')!
export const tasksOf = (status: ClusterStatus, name: string) =>
  status.devices.find(device => device.name === name)?.tasks ?? 0
