import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeZooModel } from '../../src/model/files/write-zoo-model.ts'
import { zooGraph } from '../../src/model/zoo/zoo.ts'
import type { ClusterStatus } from '../../src/runtime/device/device-status.ts'
import type { NodeProcess } from '../../src/testing/node-process.ts'
import { start } from '../started-nodes.ts'

// Real processes on loopback: a worker that is killed and started again at once, over and over.

const DATA = 400
const RESTARTS = 8
let folder: string
let model: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-restarts-'))
  model = join(folder, 'resnet56.onnx')
  await writeZooModel(zooGraph('resnet56'), model, { seed: 1 })
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const cam = (status: ClusterStatus) => status.sources.find(source => source.name === 'cam')!

test.each(['confluence', 'ms-mdi'])(
  '%s loses nothing of a worker that is killed and started again at once, eight times',
  async policy => {
    const home = join(folder, policy)
    await mkdir(home)
    const sink = join(home, 'sink.jsonl')
    const common = ['--policy', policy, '--speed', '0.05']
    const source = start('cam', [
      ...['--state', join(home, 'cam'), '--model', `${model}:net`, '--sink', sink, '--start-when', '3'],
      ...['--source', `cam=synthetic:${DATA},model=net,window=64`, ...common]
    ])
    const { invite } = await source.event('listening')
    const worker = (name: string): NodeProcess =>
      start(name, ['--state', join(home, name), '--join', String(invite), ...common])
    worker('w1')
    let w2 = worker('w2')
    await source.status(s => cam(s).completed >= 10)
    for (let i = 0; i < RESTARTS; i++) {
      w2.child.kill('SIGKILL')
      w2 = worker('w2')
      await w2.event('listening')
      await source.status(s => cam(s).completed >= 10 + 35 * (i + 1))
    }
    await source.event('done')
    const lines = (await readFile(sink, 'utf8'))
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines.filter(line => 'result' in line)).toHaveLength(DATA)
    expect(new Set(lines.map(line => line.datum)).size).toBe(DATA)
    const end = await source.status(s => cam(s).completed === DATA)
    console.info(`${policy}: ${cam(end).resent} sent again, ${cam(end).duplicates} late duplicates`)
    expect(cam(end)).toMatchObject({ lost: 0, failed: 0 })
  },
  400_000
)
