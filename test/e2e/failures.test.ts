import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createRng } from '../../src/core/rng.ts'
import { madeUpTensor } from '../../src/model/made-up-tensor.ts'
import { writeZooModel } from '../../src/model/zoo/write-zoo-model.ts'
import { zooGraph } from '../../src/model/zoo/zoo.ts'
import type { ClusterStatus } from '../../src/runtime/device/device-status.ts'
import { decodeInvite } from '../../src/runtime/network/invite.ts'
import { openModel } from '../../src/runtime/onnx/open-model.ts'
import { MAIN, type NodeProcess, startNode } from '../../src/testing/node-process.ts'

// A source with real tensors, real processes on loopback, and the things that go wrong. ResNet-56, seeded weights; every
// result is compared with what plain ONNX Runtime computes on the same input.

const DATA = 60
const run = promisify(execFile)
let folder: string
let model: string
let answers: Map<string, number[]>
const alive: NodeProcess[] = []

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

afterEach(async () => {
  for (const { child } of alive) child.kill('SIGKILL')
  await Promise.all(alive.splice(0).map(node => node.ended))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

/** The .npy format, version 1: a header of text padded to 64 bytes, then the elements. */
const npy = (dims: readonly number[], data: Uint8Array): Buffer => {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dims.join(', ')},), }`
  const header = `${text.padEnd(118 - 1)}\n`
  const lead = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8])
  return Buffer.concat([lead, Buffer.from(header, 'latin1'), data])
}

const start = (name: string, flags: readonly string[]): NodeProcess => {
  const node = startNode(name, flags)
  alive.push(node)
  return node
}

let cluster = 0
/** A source device that owns the model, and workers; the source begins when `ready` devices are ready. */
const open = async (
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

interface Line {
  readonly datum: number
  readonly item: string
  readonly attempts: number
}

/** Every datum has exactly one line, with the right values. */
const checkSink = async (sink: string): Promise<Line[]> => {
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

const cam = (status: ClusterStatus) => status.sources.find(source => source.name === 'cam')!
const tasksOf = (status: ClusterStatus, name: string) => status.devices.find(device => device.name === name)?.tasks ?? 0

describe('nothing is lost', () => {
  /** So slow that the run goes on for several seconds after what happens to a worker. */
  const slow = ['--speed', '0.01']

  test('a worker killed with -9 in mid-run', async () => {
    const { cam: source, nodes, sink } = await open(['w1', 'w2'], { source: slow, worker: slow })
    await source.status(s => cam(s).completed >= 10 && tasksOf(s, 'w1') > 0)
    nodes[0]!.child.kill('SIGKILL')
    await source.event('done')
    const lines = await checkSink(sink)
    console.info(`kill -9: ${lines.filter(line => line.attempts > 1).length} data were sent again`)
    expect(source.log()).toContain('lost w1')
  })

  test('a worker that hangs for ten seconds and comes back', async () => {
    const { cam: source, nodes, sink } = await open(['w1', 'w2'], { source: slow, worker: slow })
    await source.status(s => cam(s).completed >= 5 && tasksOf(s, 'w1') > 0)
    const { pid } = nodes[0]!.child
    process.kill(pid!, 'SIGSTOP')
    const back = setTimeout(() => process.kill(pid!, 'SIGCONT'), 10_000)
    await source.event('done')
    const lines = await checkSink(sink)
    const late = await source.status(s => cam(s).completed === DATA)
    console.info(
      `SIGSTOP: ${lines.filter(line => line.attempts > 1).length} sent again, ${cam(late).duplicates} late twins dropped`
    )
    clearTimeout(back)
    process.kill(pid!, 'SIGCONT')
  })

  test('a worker that joins in mid-run gets blocks and computes', async () => {
    const slower = ['--speed', '0.005'] // a device takes seconds to start, and a plan one or two
    const { cam: source, join: joinLate, sink } = await open(['w1'], { source: slower, worker: slower })
    await source.status(s => cam(s).completed >= 5)
    joinLate('late')
    const seen = await source.status(s => tasksOf(s, 'late') > 0)
    console.info(`late join: computing when ${cam(seen).completed} of ${DATA} were done`)
    await source.event('done')
    await checkSink(sink)
  })

  test('a worker stopped with Ctrl-C finishes what it has', async () => {
    const { cam: source, nodes, sink } = await open(['w1', 'w2'], { source: slow, worker: slow })
    await source.status(s => cam(s).completed >= 10 && tasksOf(s, 'w1') > 0)
    nodes[0]!.child.kill('SIGINT')
    expect(await nodes[0]!.ended).toBe(0)
    await source.event('done')
    await checkSink(sink)
    expect(source.log()).toContain('w1 said goodbye')
  })

  test('a source killed with -9 and started again goes on after the last result', async () => {
    const { cam: source, flags, invite, sink } = await open(['w1'], { source: slow, worker: slow })
    await source.status(s => cam(s).completed >= 20)
    source.child.kill('SIGKILL')
    await source.ended
    const before = (await readFile(sink, 'utf8')).split('\n').length - 1
    expect(before).toBeLessThan(DATA)
    const again = start('cam', [...flags, '--join', invite, '--start-when', '1'])
    await again.event('done')
    expect(again.log()).toMatch(/\d+ of 60 are in the sink already/)
    await checkSink(sink)
  })

  test('with too little memory the source says what waits for what, and goes on when a device joins', async () => {
    const { cam: source, join: joinLate, sink } = await open([], { source: ['--memory', '1MiB'] })
    const stuck = await source.status(s => s.devices.some(device => device.waiting.length > 0))
    const [waiting] = stuck.devices[0]!.waiting
    expect(waiting!.because).toMatch(/needs .* raise --memory/)
    joinLate('big')
    await source.event('done')
    await checkSink(sink)
  })
})

describe('who may join', () => {
  test('a device with another key gets nothing but a refusal, and the cluster goes on', async () => {
    const { cam: source, home } = await open([])
    const { addresses } = (await source.event('listening')) as { addresses: string[] }
    const key = join(home, 'other.key')
    await writeFile(key, `tributary-key1:${Buffer.alloc(32, 7).toString('base64url')}\n`)
    const stranger = start('stranger', [
      '--state',
      join(home, 'stranger'),
      '--join',
      addresses[0]!,
      '--cluster-key',
      key
    ])
    await stranger.event('listening')
    await source.event('done')
    const { devices } = await source.status(s => cam(s).completed === DATA)
    expect(devices.map(device => device.name)).toEqual(['cam'])
    expect(source.log() + stranger.log()).toMatch(/refused/)
  })

  test('status and invite of a running device, from any device', async () => {
    const { home, nodes, invite } = await open(['w1'])
    await nodes[0]!.event('listening')
    for (const name of ['cam', 'w1']) {
      const { stdout } = await run(process.execPath, [MAIN, 'status', '--json', '--state', join(home, name)])
      expect(JSON.parse(stdout).answeredBy).toBe(name)
    }
    const { stdout } = await run(process.execPath, [MAIN, 'invite', '--state', join(home, 'cam')])
    const [printed, first] = [decodeInvite(stdout), decodeInvite(invite)]
    expect(printed.key).toEqual(first.key)
    expect(printed.addresses).toEqual(expect.arrayContaining([...first.addresses])) // and by now those of w1, too
  })
})

describe('wrong use ends with 2 and one line that helps', () => {
  const refusal = async (...flags: string[]): Promise<string> => {
    const failed = await run(process.execPath, [
      MAIN,
      'node',
      '--no-mdns',
      '--state',
      join(folder, 'wrong'),
      ...flags
    ]).catch(e => e)
    expect(failed.code).toBe(2)
    expect(failed.stderr.trimEnd().split('\n')).toHaveLength(1)
    return failed.stderr
  }

  test('an address without a key', async () => {
    expect(await refusal('--join', '127.0.0.1:4001')).toMatch(
      /--join 127.0.0.1:4001 needs the cluster's key.*--cluster-key/
    )
  })

  test('a policy that is mistyped', async () => {
    expect(await refusal('--policy', 'conflunce')).toMatch(/did you mean confluence/)
  })

  test('a port in use', async () => {
    const first = start('first', ['--state', join(folder, 'first')])
    const { addresses } = (await first.event('listening')) as { addresses: string[] }
    const port = /tcp\/(\d+)/.exec(addresses[0]!)![1]
    expect(await refusal('--listen', `127.0.0.1:${port}`)).toMatch(new RegExp(port!))
  })

  test('a sink that cannot be written', async () => {
    const source = ['--source', `cam=dir:${join(folder, 'data')}`, '--preset', 'raw', '--listen', '127.0.0.1:0']
    expect(await refusal(...source, '--sink', folder)).toMatch(/--sink/)
  })
})
