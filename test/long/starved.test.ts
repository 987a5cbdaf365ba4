import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { writeZooModel } from '../../src/model/files/write-zoo-model.ts'
import { zooGraph } from '../../src/model/zoo/zoo.ts'
import type { ClusterStatus } from '../../src/runtime/device/device-status.ts'
import { type NodeProcess, startNode } from '../../src/testing/node-process.ts'

// Twenty devices on whatever processors this machine has: where they are few, a cluster slows down and does not fall apart.

const DEVICES = 20
const DATA = 400
const folder = await mkdtemp(join(tmpdir(), 'tributary-starved-'))
const nodes: NodeProcess[] = []

afterAll(async () => {
  for (const { child } of nodes) child.kill('SIGKILL')
  await Promise.all(nodes.map(node => node.ended))
  await rm(folder, { recursive: true, force: true })
})

const start = (name: string, flags: readonly string[]): NodeProcess => {
  const node = startNode(name, ['--state', join(folder, name), ...flags])
  nodes.push(node)
  return node
}
const cam = (status: ClusterStatus) => status.sources.find(source => source.name === 'cam')!

test('twenty devices that share few processors find each other, keep each other, and serve', async () => {
  const model = join(folder, 'resnet56.onnx')
  await writeZooModel(zooGraph('resnet56'), model, { seed: 1 })
  const sink = join(folder, 'sink.jsonl')
  const source = start('n00', [
    ...['--model', `${model}:net`, '--sink', sink, '--start-when', String(DEVICES)],
    ...['--source', `cam=synthetic:${DATA},model=net,window=32`]
  ])
  const { invite } = await source.event('listening')
  for (let n = 1; n < DEVICES; n++) start(`n${String(n).padStart(2, '0')}`, ['--join', String(invite)])
  await source.event('ready')
  await source.event('done')
  const lines = (await readFile(sink, 'utf8'))
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(lines.filter(line => 'result' in line)).toHaveLength(DATA)
  const end = await source.status(s => cam(s).completed === DATA)
  expect(cam(end)).toMatchObject({ lost: 0, failed: 0 })
  const said = nodes.map(node => node.log()).join('\n')
  const lost = said.match(/lost n\d\d: silent/g)?.length ?? 0
  console.info(
    `${said.match(/placement [\d.]+ for/g)?.length} placements, ${lost} times taken for lost, ${cam(end).resent} sent again`
  )
  expect(lost).toBeLessThanOrEqual(DEVICES / 4) // of 380 pairs
}, 900_000)
