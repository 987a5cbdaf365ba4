import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeZooModel } from '../../src/model/files/write-zoo-model.ts'
import { zooGraph } from '../../src/model/zoo/zoo.ts'
import type { ClusterStatus } from '../../src/runtime/device/device-status.ts'
import type { ModelsAnswer } from '../../src/runtime/device/model-report.ts'
import { MAIN, type NodeProcess } from '../../src/testing/node-process.ts'
import { start } from '../started-nodes.ts'

// A name outlives the model: the owner puts another in its place, with or without a restart, while a worker whose memory
// holds only one of the two carries the old one. ResNet-56 with the weights of two seeds, 3.3 MiB each.

const DATA = 30
/** Each test starts a dozen processes, one after another: on a busy machine that alone takes minutes. */
const PATIENCE = 600_000
const run = promisify(execFile)
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-update-'))
  for (const seed of [1, 2]) await writeZooModel(zooGraph('resnet56'), file(seed), { seed })
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const file = (seed: number): string => join(folder, `resnet56-${seed}.onnx`)

const kill = async (node: NodeProcess): Promise<void> => {
  node.child.kill('SIGKILL')
  await node.ended
}

let cluster = 0
/** A device that owns `net`, has room for a third of it, and feeds it; a worker with room for one such model and no more. */
const open = async (data = DATA) => {
  const home = join(folder, `cluster-${cluster++}`)
  await mkdir(home)
  const port = 20_000 + Math.floor(Math.random() * 20_000)
  return {
    home,
    owner: (seed: number, sink: string, more: readonly string[] = []): NodeProcess =>
      start('cam', [
        ...['--state', join(home, 'cam'), '--model', `${file(seed)}:net`, '--sink', join(home, sink)],
        ...['--source', `s=synthetic:${data},model=net,window=8`, '--memory', '1MiB', '--preset', 'raw'],
        ...['--speed', '0.5', '--listen', `127.0.0.1:${port}`, '--blocks', '6', ...more]
      ]),
    worker: (invite: string): NodeProcess =>
      start('shed', ['--state', join(home, 'shed'), '--join', invite, '--memory', '4MiB', '--speed', '0.5']),
    blobs: async (device: string) => (await readdir(join(home, device, 'blobs'))).filter(name => name.endsWith('.blob'))
  }
}

const invited = async (node: NodeProcess): Promise<string> => String((await node.event('listening'))['invite'])
const sourceOf = (status: ClusterStatus) => status.sources.find(({ name }) => name === 's')
const completed =
  (n: number) =>
  (status: ClusterStatus): boolean =>
    (sourceOf(status)?.completed ?? 0) >= n
const blocksAt = (status: ClusterStatus, device: string) =>
  Object.keys(status.devices.find(({ name }) => name === device)?.models ?? {})

/** Every datum once, with its result. */
const results = async (path: string): Promise<unknown[]> => {
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
  const entries = lines.map(line => JSON.parse(line) as { datum: number; result: unknown })
  expect(new Set(entries.map(({ datum }) => datum)).size).toBe(entries.length)
  expect(entries.every(({ result }) => result !== undefined)).toBe(true)
  return entries.toSorted((a, b) => a.datum - b.datum).map(({ result }) => result)
}

const tributary = async (...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> => {
  try {
    return { code: 0, ...(await run(process.execPath, [MAIN, ...args])) }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, stdout, stderr }
  }
}
const model = async (...args: readonly string[]): Promise<ModelsAnswer> => {
  const { code, stdout, stderr } = await tributary('model', ...args, '--json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as ModelsAnswer
}

test(
  'the owner comes back with another model of its name, twice, while the worker stays: all results, of that model',
  async () => {
    const { owner, worker, home, blobs } = await open()
    const first = owner(1, 'first.jsonl')
    const shed = worker(await invited(first))
    await first.status(completed(DATA))
    await kill(first)
    // Whichever id is the smaller, one of the two changes goes to a larger and one to a smaller.
    const second = owner(2, 'second.jsonl', ['--exit-when-done'])
    expect(await second.ended).toBe(0)
    const third = owner(1, 'third.jsonl', ['--exit-when-done'])
    expect(await third.ended).toBe(0)
    const [one, two, three] = await Promise.all(
      ['first', 'second', 'third'].map(sink => results(join(home, `${sink}.jsonl`)))
    )
    expect([one!.length, two!.length]).toEqual([DATA, DATA])
    expect(three).toEqual(one)
    expect(two!.filter((result, i) => JSON.stringify(result) === JSON.stringify(one![i]))).toEqual([])
    expect(shed.log()).toMatch(/model net \([0-9a-f]{8}\) has left the cluster/)
    expect((await blobs('shed')).length).toBeLessThanOrEqual(6) // of one of the two
  },
  PATIENCE
)

test(
  'the owner is first with the new model, and a worker comes that has the old one on its disk and in its mind',
  async () => {
    const { owner, worker, home } = await open()
    const first = owner(1, 'first.jsonl')
    const invite = await invited(first)
    const shed = worker(invite)
    await first.status(completed(20))
    await kill(first)
    await kill(shed)
    const second = owner(2, 'second.jsonl', ['--exit-when-done'])
    await second.event('listening')
    worker(invite)
    expect(await second.ended).toBe(0)
    expect(await results(join(home, 'second.jsonl'))).toHaveLength(DATA)
  },
  PATIENCE
)

test(
  'model update, list and remove on a running cluster: nothing hangs, nothing is lost, the old leaves memory and disk',
  async () => {
    const { owner, worker, home, blobs } = await open(50_000)
    const cam = owner(1, 'sink.jsonl')
    worker(await invited(cam))
    const state = ['--state', join(home, 'cam')]
    await cam.status(completed(20))
    const { models } = await model('list', ...state)
    expect(models).toMatchObject([{ name: 'net', owners: ['cam'], state: 'owned', blocks: 6, sources: ['s@cam'] }])
    expect(Object.keys(models[0]!.carried).sort()).toEqual(['cam', 'shed'])

    const refused = await tributary('model', 'update', 'net', join(home, 'none.onnx'), ...state)
    expect(refused).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/none\.onnx: there is no such file/)
    })
    expect((await tributary('model', 'update', 'other', file(2), ...state)).stderr).toMatch(
      /"other" is not of this device \(it has net\)/
    )

    const updated = await model('update', 'net', file(2), ...state)
    expect(updated).toMatchObject({ changed: true, removed: [{ id: models[0]!.id }] })
    expect(updated.models).toMatchObject([{ name: 'net', owners: ['cam'], revision: 2 }])
    expect(await model('update', 'net', file(2), ...state)).toMatchObject({ changed: false })
    await cam.status(status => completed(40)(status) && blocksAt(status, 'shed').join() === 'net')

    const removed = await model('remove', 'net', ...state)
    expect(removed).toMatchObject({ removed: [{ name: 'net' }], waiting: ['s@cam'], failed: [] })
    const waiting = await cam.status(
      status => sourceOf(status)?.state === 'waits for model net' && blocksAt(status, 'shed').length === 0
    )
    expect(sourceOf(waiting)!.completed).toBeLessThan(50_000)
    expect((await model('list', ...state)).models).toEqual([])
    expect((await tributary('model', 'remove', 'net', ...state)).stderr).toMatch(
      /"net" is not in the cluster, which has none/
    )
    await cam.status(status => blocksAt(status, 'cam').length === 0)
    expect(await blobs('cam')).toEqual([])
  },
  PATIENCE
)
