import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { writeZooModel } from '../../src/model/zoo/write-zoo-model.ts'
import { zooGraph } from '../../src/model/zoo/zoo.ts'
import type { ClusterStatus } from '../../src/runtime/device/device-status.ts'
import { MAIN, type NodeProcess, startNode } from '../../src/testing/node-process.ts'

// A model's name outlives the model: the owner puts another in its place, with or without a restart, while a worker
// whose memory holds only one of the two carries the old one. ResNet-56 with the weights of two seeds, 1.7 MB each.

const run = promisify(execFile)
let folder: string
const alive: NodeProcess[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-update-'))
  for (const seed of [1, 2]) await writeZooModel(zooGraph('resnet56'), file(seed), { seed })
})

afterEach(async () => {
  for (const { child } of alive) child.kill('SIGKILL')
  await Promise.all(alive.splice(0).map(node => node.ended))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const file = (seed: number): string => join(folder, `resnet56-${seed}.onnx`)

const start = (name: string, flags: readonly string[]): NodeProcess => {
  const node = startNode(name, flags)
  alive.push(node)
  return node
}

const kill = async (node: NodeProcess): Promise<void> => {
  node.child.kill('SIGKILL')
  await node.ended
}

let cluster = 0
/** A device that owns `net` and feeds it, and a worker with room for one such model, or what `memory` says. */
const open = async ({ memory = '2500KiB', data = 80, window = 8 } = {}) => {
  const home = join(folder, `cluster-${cluster++}`)
  await mkdir(home)
  const port = 20_000 + Math.floor(Math.random() * 20_000)
  const camFlags = (seed: number, sink: string): readonly string[] => [
    ...['--state', join(home, 'cam'), '--model', `${file(seed)}:net`, '--sink', join(home, sink)],
    ...['--source', `s=synthetic:${data},model=net,window=${window}`, '--memory', '1MiB', '--preset', 'raw'],
    ...['--speed', '0.3', '--listen', `127.0.0.1:${port}`, '--blocks', '6']
  ]
  return {
    home,
    owner: (seed: number, sink = `sink-${seed}.jsonl`, more: readonly string[] = []): NodeProcess =>
      start('cam', [...camFlags(seed, sink), ...more]),
    worker: (invite: string): NodeProcess =>
      start('shed', ['--state', join(home, 'shed'), '--join', invite, '--memory', memory, '--speed', '0.3'])
  }
}

const invite = async (node: NodeProcess): Promise<string> => String((await node.event('listening'))['invite'])
const source = (status: ClusterStatus) => status.sources.find(({ name }) => name === 's')
const completed = (n: number) => (status: ClusterStatus) => (source(status)?.completed ?? 0) >= n
const lines = async (path: string) =>
  (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { datum: number; result: unknown })

test('the owner comes back with another model of the same name while the worker stays: every result, and all of the new one', async () => {
  const { owner, worker, home } = await open()
  const first = owner(1)
  const shed = worker(await invite(first))
  await first.status(completed(20))
  await kill(first)
  const second = owner(2, 'sink-2.jsonl', ['--exit-when-done'])
  expect(await second.ended).toBe(0)
  expect(await lines(join(home, 'sink-2.jsonl'))).toHaveLength(80)
  void shed
})

void MAIN
void run
void stat
