import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { madeUpTensor } from '../src/core/made-up-tensor.ts'
import { createRng } from '../src/core/rng.ts'
import { writeZooModel } from '../src/model/files/write-zoo-model.ts'
import { zooGraph } from '../src/model/zoo/zoo.ts'
import type { ClusterStatus } from '../src/runtime/device/device-status.ts'
import { startNode } from '../src/testing/node-process.ts'
import { judge } from './judge.ts'

// Two devices, two real processes, one machine: each has memory for about half of MobileNetV2, so every datum crosses.
// The rate of the pair against the slower stage's own rate, which is one over the time of its blocks as the device
// itself measures them while it runs. Budget: 0.9. Speeds 0.5 each, emulated, so that both fit the machine's cores.

const DATA = 200
const folder = await mkdtemp(join(tmpdir(), 'tributary-pipeline-'))
const model = join(folder, 'model.onnx')
const { bytes } = await writeZooModel(zooGraph('mobilenetv2'), model, { seed: 1 })
await mkdir(join(folder, 'data'))
const dims = [1, 3, 224, 224]
const header = `${`{'descr': '<f4', 'fortran_order': False, 'shape': (${dims.join(', ')}), }`.padEnd(117)}\n`
const lead = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8])
const { data } = madeUpTensor('x', 'float32', dims, createRng('pipeline'))
for (let i = 0; i < DATA; i++) {
  await writeFile(join(folder, 'data', `${1000 + i}.npy`), Buffer.concat([lead, Buffer.from(header, 'latin1'), data]))
}

const memory = `${Math.ceil((0.62 * bytes) / 1024)}KiB`
const common = ['--memory', memory, '--speed', '0.5']
const sink = join(folder, 'sink.jsonl')
const source = [
  '--model',
  `${model}:net`,
  '--source',
  `cam=dir:${join(folder, 'data')},window=16`,
  '--preset',
  'raw',
  '--sink',
  sink,
  '--start-when',
  '2'
]
const a = startNode('a', ['--state', join(folder, 'a'), ...common, ...source])
const { invite } = await a.event('listening')
const b = startNode('b', ['--state', join(folder, 'b'), '--join', String(invite), ...common])
try {
  const ready = (await a.event('ready'))['status'] as ClusterStatus
  const startedAt = performance.now()
  await a.event('done')
  const took = (performance.now() - startedAt) / 1000
  const after = await a.status(s => s.sources[0]?.completed === DATA)
  const work = after.devices.map(device => {
    const before = ready.devices.find(d => d.name === device.name)!
    return {
      name: device.name,
      busy: device.busySeconds - before.busySeconds,
      blocks: device.models['net']?.blocks.join(',')
    }
  })
  const slower = Math.max(...work.map(w => w.busy)) / DATA
  const lines = (await readFile(sink, 'utf8')).trimEnd().split('\n').length
  for (const { name, busy, blocks } of work)
    process.stdout.write(`${name}: blocks ${blocks}, ${((1000 * busy) / DATA).toFixed(1)} ms a datum\n`)
  process.stdout.write(
    `${lines} results in ${took.toFixed(2)} s: ${(DATA / took).toFixed(1)}/s, the slower stage alone ${(1 / slower).toFixed(1)}/s\n`
  )
  const ratio = (DATA / took) * slower
  process.stdout.write(
    judge('pipeline of 2 devices', `${ratio.toFixed(3)} of the slower stage's rate`, ratio, { atLeast: 0.9 })
  )
} finally {
  for (const node of [a, b]) node.child.kill('SIGKILL')
  await Promise.all([a.ended, b.ended])
  await rm(folder, { recursive: true, force: true })
}
