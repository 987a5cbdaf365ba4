import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { loopingModel } from '../../src/testing/looping-model.ts'
import { type NodeProcess, startNode } from '../../src/testing/node-process.ts'

// A model that loops as often as its datum says, in real processes: one datum says for ever.

let folder: string
const alive: NodeProcess[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-endless-'))
  await writeFile(join(folder, 'loop.onnx'), loopingModel())
  await mkdir(join(folder, 'data'))
  for (let i = 0; i < 12; i++) await writeFile(join(folder, 'data', `${10 + i}.npy`), npy(i === 5 ? 1e15 : i))
})

afterEach(async () => {
  for (const { child } of alive) child.kill('SIGKILL')
  await Promise.all(alive.splice(0).map(node => node.ended))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

/** One float32, in the .npy format, version 1. */
const npy = (number: number): Buffer => {
  const header = Buffer.from(`${"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }".padEnd(117)}\n`, 'latin1')
  const lead = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8])
  return Buffer.concat([lead, header, Buffer.from(Float32Array.of(number).buffer)])
}

const start = (name: string, flags: readonly string[]): NodeProcess => {
  const node = startNode(name, ['--state', join(folder, name), ...flags])
  alive.push(node)
  return node
}

test('a datum whose block never ends is given up with its cause, the model is set aside and taken up again, the others are computed, and SIGTERM ends every device', async () => {
  const sink = join(folder, 'sink.jsonl')
  const cam = start('cam', [
    ...['--model', `${join(folder, 'loop.onnx')}:loop`, '--preset', 'raw', '--sink', sink, '--start-when', '2'],
    ...['--source', `cam=dir:${join(folder, 'data')},model=loop,window=4`]
  ])
  const { invite } = await cam.event('listening')
  const worker = start('w1', ['--join', String(invite)])
  const { setAside } = await cam.status(s => s.setAside.length > 0)
  expect(setAside[0]).toMatchObject({ model: 'loop', because: expect.stringContaining('has not ended after') })
  await cam.event('done')
  const lines = (await readFile(sink, 'utf8'))
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(lines.filter(line => 'result' in line)).toHaveLength(11)
  expect(lines.filter(line => line.failed === true)).toMatchObject([
    { item: '15.npy', cause: expect.stringContaining('has not ended after') }
  ])
  expect(cam.log() + worker.log()).toContain('model loop is set aside here for 60 s: block')
  for (const node of [cam, worker]) {
    const began = Date.now()
    node.child.kill('SIGTERM')
    await node.ended
    expect(Date.now() - began).toBeLessThan(15_000)
  }
}, 400_000)
