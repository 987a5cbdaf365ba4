import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import { createLocal } from '../scheduler/local.ts'
import { otlpReceiver } from '../testing/otlp-receiver.ts'
import { tinyOnnxFile } from '../testing/tiny-onnx.ts'
import { type Cluster, joinCluster } from './join-cluster.ts'
import type { JoinOptions } from './join-options.ts'
import type { Outcome } from './outcome.ts'

const relu = (input: string, output: string) => ({ opType: 'Relu', input: [input], output: [output] })
let net: string
let sum: string
let scratch: string
const open: Cluster[] = []

beforeAll(() => {
  net = tinyOnnxFile({
    inputs: { x: ['float32', [1, 2]] },
    outputs: { y: ['float32', [1, 2]] },
    nodes: [relu('x', 'a'), relu('a', 'b'), relu('b', 'y')]
  })
  sum = tinyOnnxFile({
    inputs: { a: ['int64', [2]], b: ['int64', [2]] },
    outputs: { sum: ['int64', [2]], again: ['int64', [2]] },
    nodes: [
      { opType: 'Add', input: ['a', 'b'], output: ['sum'] },
      { opType: 'Add', input: ['sum', 'b'], output: ['again'] }
    ]
  })
})
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tributary-join-'))
})
afterEach(async () => {
  await Promise.all(open.splice(0).map(cluster => cluster.stop({ patience: 0 })))
  await rm(scratch, { recursive: true, force: true, maxRetries: 5 })
})

const start = async (name: string, options: JoinOptions = {}): Promise<Cluster> => {
  const cluster = await joinCluster({
    name,
    state: join(scratch, name),
    listen: '127.0.0.1:0',
    mdns: false,
    ...options
  })
  open.push(cluster)
  return cluster
}
const model = (file: string, name = 'net') => ({ file, name, blocks: 3 })
const x = (...data: number[]) => ({ x: { dims: [1, data.length], data: Float32Array.from(data) } })
const outputs = (outcome: Outcome) =>
  outcome.kind === 'result'
    ? Object.fromEntries(Object.entries(outcome.outputs).map(([name, { data }]) => [name, [...data]]))
    : outcome

test('each datum that is sent has its own outcome; what the sender has is neither written to nor needed any more', async () => {
  const cluster = await start('a', { models: [model(net)] })
  const source = await cluster.addSource({ name: 's', model: 'net' })
  const mine = x(1, -2)
  const begun = Date.now() / 1000 - 1e-3
  const first = source.send({ name: 'mine', tensors: mine })
  mine.x.data.fill(9)
  const [one, two] = await Promise.all([first, source.send(x(3, 4))])
  expect([outputs(one), outputs(two), [...mine.x.data]]).toEqual([{ y: [1, 0] }, { y: [3, 4] }, [9, 9]])
  expect(one).toMatchObject({ source: 's', datum: 0, item: 'mine', attempts: 1 })
  expect(two).toMatchObject({ datum: 1, item: '1', kind: 'result' })
  if (two.kind !== 'result') throw new Error(`${two.item} has ${two.kind}`)
  expect(two.inferenceTime).toBeGreaterThan(0)
  expect(two.availableAt).toBeGreaterThanOrEqual(begun)
  expect(two.doneAt - two.availableAt).toBeCloseTo(two.inferenceTime, 2)
  // Without the batch, in more bits, alone: as .npy files are taken.
  expect(outputs(await source.send({ dims: [2], data: Float64Array.of(5, 6) }))).toEqual({ y: [5, 6] })
  expect(await source.send({ z: x(1, 2).x })).toMatchObject({
    kind: 'failed',
    cause: 'there is no input "z"; the model takes input "x" float32[1, 2]'
  })
  expect(await source.send(x(1, 2, 3))).toMatchObject({ kind: 'failed', cause: expect.stringContaining('(1, 3)') })
  expect(await source.send(null as never)).toMatchObject({ kind: 'failed', cause: expect.stringContaining('null') })
  await source.end()
  expect(() => source.send(x(1, 2))).toThrow(expect.objectContaining({ code: 'ended' }))
  expect(source.status()).toMatchObject({ state: 'done', completed: 3, failed: 3, inFlight: 0 })
})

test('a device without models has its data computed by one that joined later, and models come and go', async () => {
  const a = await start('a')
  const b = await start('b', { join: a.invite() })
  const joined = new Promise(resolve => a.on('deviceJoined', resolve))
  const source = await a.addSource({ name: 's', model: 'sum' })
  const ints = (...of: bigint[]) => ({ dims: [2], data: BigInt64Array.from(of) })
  const early = source.send({ a: ints(1n, 2n), b: ints(10n, 20n) })
  await b.addModel({ file: sum, name: 'sum' })
  expect(outputs(await early)).toEqual({ sum: [11n, 22n], again: [21n, 42n] })
  expect(await joined).toEqual({ id: b.id, name: 'b' })
  await expect(b.addModel({ file: sum, name: 'sum' })).rejects.toMatchObject({ code: 'nameTaken' })
  expect([await b.removeModel('sum'), await b.removeModel('sum')]).toEqual([true, false])
  const left = new Promise(resolve => a.on('deviceLeft', resolve))
  await b.stop()
  expect(await left).toMatchObject({ id: b.id, name: 'b' })
})

test('outcomes of an iterable are read from its source, which asks for no more than it can use', async () => {
  const cluster = await start('a', { models: [model(net)] })
  let asked = 0
  const items = (function* () {
    for (;;) yield x(asked++, 1)
  })()
  const source = await cluster.addSource({ name: 's', window: 3, items })
  const seen: number[] = []
  for await (const { kind, datum } of source) {
    expect(kind).toBe('result')
    if (seen.push(datum) === 5) break
  }
  expect(seen.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4])
  // Under way, waiting for the reader, and asked for already.
  expect(asked).toBeLessThan(5 + 4 * 3)
  // Left: the name is free, and the generator was told.
  const again = await cluster.addSource({ name: 's', items: [x(1, 1)] })
  expect(items.next().done).toBe(true)
  const rest: Outcome[] = []
  for await (const outcome of again) rest.push(outcome)
  expect(rest.map(outputs)).toEqual([{ y: [1, 1] }])
})

test('what an iterable throws is thrown after the outcomes of what came before it', async () => {
  const cluster = await start('a', { models: [model(net)] })
  const items = (async function* () {
    yield x(1, 1)
    yield x(2, 2)
    throw new Error('camera gone')
  })()
  const seen: unknown[] = []
  const reading = (async () => {
    for await (const outcome of await cluster.addSource({ name: 's', items })) seen.push(outputs(outcome))
  })()
  await expect(reading).rejects.toThrow('camera gone')
  expect(seen).toEqual([{ y: [1, 1] }, { y: [2, 2] }])
})

test('an iterable that does not wait is read as fast as it gives: the newest go in, and each has one outcome', async () => {
  const cluster = await start('a', { models: [model(net)] })
  const items = Array.from({ length: 50 }, (_, i) => x(i, i))
  const seen: Outcome[] = []
  for await (const outcome of await cluster.addSource({ name: 's', items, window: 1, drop: 'oldest' }))
    seen.push(outcome)
  expect(seen.map(({ datum }) => datum).toSorted((a, b) => a - b)).toEqual(items.map((_, i) => i))
  expect(seen.find(({ datum }) => datum === 49)?.kind).toBe('result')
  const reasons = new Set(seen.flatMap(outcome => (outcome.kind === 'dropped' ? [outcome.reason] : [])))
  expect([...reasons]).toEqual(['queueFull'])
})

test('what nobody can begin by its deadline is dropped', async () => {
  const cluster = await start('a', { models: [model(net)] })
  const source = await cluster.addSource({ name: 's', deadline: 1e-6, queue: 4 })
  expect(await source.send(x(1, 1))).toMatchObject({ kind: 'dropped', reason: 'deadline' })
  expect(source.status()).toMatchObject({ dropped: 1, admitted: 1 })
  const endless = cluster.addSource({ name: 'u', late: 'cancel' })
  await expect(endless).rejects.toMatchObject({ code: 'badOption', facts: { option: 'late' } })
  const waits = cluster.addSource({ name: 't', drop: 'none' as 'oldest' })
  await expect(waits).rejects.toMatchObject({ code: 'badOption' })
})

test('whatever is open when a source stops is dropped, once each, and so is what its queue has no room for', async () => {
  const cluster = await start('a')
  const source = await cluster.addSource({ name: 's', model: 'none', queue: 2 })
  const all = [0, 1, 2].map(i => source.send(x(i, i)))
  expect(await all[2]).toEqual({ source: 's', datum: 2, item: '2', kind: 'dropped', reason: 'queueFull' })
  const silent = await cluster.addSource({
    name: 'silent',
    items: { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }
  })
  await cluster.stop()
  expect((await Promise.all(all)).map(o => o.kind === 'dropped' && o.reason)).toEqual([
    'stopped',
    'stopped',
    'queueFull'
  ])
  for await (const _ of silent) expect.unreachable()
  await expect(cluster.addSource({ name: 't' })).rejects.toMatchObject({ code: 'stopped' })
})

test('the same state is a device again, with its key and its name for itself, and data are numbered anew', async () => {
  const first = await start('a', { models: [model(net)] })
  const { id } = first
  await expect(start('a')).rejects.toMatchObject({ code: 'stateInUse', facts: { name: 'a' } })
  expect((await (await first.addSource({ name: 's' })).send(x(1, 1))).datum).toBe(0)
  await first.stop()
  const second = await start('a', { models: [model(net)] })
  expect([second.id, (await (await second.addSource({ name: 's' })).send(x(1, 1))).datum]).toEqual([id, 0])
})

test('a policy may be a function of the program', async () => {
  const cluster = await start('a', { models: [model(net)], policy: host => ({ ...createLocal(host), name: 'mine' }) })
  const source = await cluster.addSource({ name: 's' })
  expect(outputs(await source.send(x(1, 2)))).toEqual({ y: [1, 2] })
  expect(cluster.status().devices[0]!.policy).toBe('mine')
})

const REFUSED: readonly (readonly [string, JoinOptions, object])[] = [
  ['an unknown option', { nmae: 'a' } as never, { code: 'badOption', facts: { option: 'nmae' } }],
  ['a wrong amount', { memory: 'much' }, { code: 'badOption', facts: { option: 'memory' } }],
  ['an option of a model', { models: [{ fiel: 'a' } as never] }, { code: 'badOption', message: /did you mean "file"/ }],
  ['no options', 'shed' as never, { code: 'badOption', message: /must be an object/ }],
  ['no policy', { policy: 'conflunce' as never }, { code: 'badPolicy', message: /did you mean confluence/ }],
  [
    'an empty policy',
    { policy: () => ({}) as never },
    { code: 'badPolicy', message: /without name, reportInterval, admit/ }
  ],
  [
    'a policy that is late',
    { policy: host => ({ ...createLocal(host), reportInterval: () => seconds(-1) }) },
    { code: 'badPolicy' }
  ],
  ['a wrong model', { models: [{ file: '' }] }, { code: 'badOption', facts: { option: 'models.0.file' } }],
  ['no invite', { join: '127.0.0.1:9' }, { code: 'keyMissing', facts: { address: '127.0.0.1:9' } }],
  ['no address', { listen: 'nowhere' }, { code: 'badAddress', facts: { address: 'nowhere', use: 'listen' } }],
  ['no address to join', { join: 'nowhere' }, { code: 'badAddress', facts: { use: 'join' } }],
  ['half an invite', { join: 'tributary1:eyJr' }, { code: 'badInvite' }],
  [
    'two models of one name',
    { models: [{ file: 'a/x.onnx' }, { file: 'b/x.onnx' }] },
    { code: 'nameTaken', facts: { name: 'x' } }
  ],
  ['no such model', { models: [{ file: 'nowhere.onnx' }] }, { code: 'badModel', facts: { file: 'nowhere.onnx' } }],
  ['a model that is none', { models: [{ file: import.meta.filename }] }, { code: 'badModel' }]
]
test.each(REFUSED)('%s is refused with a code, and without a flag', async (_, options, error) => {
  const refused = start('a', options)
  await expect(refused).rejects.toMatchObject(error)
  await expect(refused).rejects.not.toThrow(/--(join|listen|memory|policy|state|name)\b/)
})

/** Of those that are refused late, each at another step. */
const LATE = ['a policy that is late', 'no address', 'a model that is none']
test.each(REFUSED.filter(([what]) => LATE.includes(what)))(
  '%s leaves nothing behind: its state is free',
  async (_, options) => {
    await expect(start('a', options)).rejects.toThrow()
    await start('a')
  }
)

test('a port that another has is said, with the address', async () => {
  const [address] = (await start('a')).addresses()
  const listen = `127.0.0.1:${/tcp\/(\d+)/.exec(address!)![1]}`
  await expect(start('b', { listen })).rejects.toMatchObject({ code: 'portInUse', facts: { address: listen } })
})

test('a start that is aborted ends with the reason, and its state is free', async () => {
  const reason = new Error('not now')
  await expect(start('a', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const midway = new AbortController()
  const log = ({ text }: { readonly text: string }): void => {
    if (text.startsWith('cutting')) midway.abort(reason)
  }
  await expect(start('a', { models: [model(net)], signal: midway.signal, log })).rejects.toBe(reason)
  await start('a')
})

test('a source has a name of its own, and options that are checked', async () => {
  const cluster = await start('a')
  await cluster.addSource({ name: 's' })
  await expect(cluster.addSource({ name: 's' })).rejects.toMatchObject({ code: 'nameTaken', facts: { name: 's' } })
  await expect(cluster.addSource({ name: 't', items: 3 as never })).rejects.toMatchObject({ code: 'badOption' })
  await expect(cluster.addSource({ name: '../t' })).rejects.toMatchObject({ facts: { option: 'name' } })
  expect(() => cluster.on('redy' as never, () => {})).toThrow(/did you mean "ready"/)
  expect(() => cluster.on('ready', 3 as never)).toThrow(expect.objectContaining({ code: 'badOption' }))
  await expect(cluster.stop({ patience: -1 })).rejects.toMatchObject({ facts: { option: 'patience' } })
  await expect(cluster.addModel({ file: 'nowhere.onnx' })).rejects.toMatchObject({ code: 'badModel' })
})

test('who has an outcome finds its datum in no account, and the name is free when its source has ended', async () => {
  const cluster = await start('a', { models: [model(net)] })
  const source = await cluster.addSource({ name: 's' })
  const counts = () => cluster.status().sources.map(({ completed, failed, inFlight }) => [completed, failed, inFlight])
  for (let i = 1; i <= 5; i++) {
    await source.send(x(i, i))
    expect(counts()).toEqual([[i, 0, 0]])
  }
  await source.send(x(1, 2, 3))
  expect(counts()).toEqual([[5, 1, 0]])
  await expect(cluster.addSource({ name: 's' })).rejects.toMatchObject({ code: 'nameTaken' })
  await source.end()
  expect(cluster.status().sources.map(({ state }) => state)).toEqual(['done'])
  const again = await cluster.addSource({ name: 's' })
  expect((await again.send(x(1, 1))).datum).toBe(0)
  expect([counts(), source.status().completed]).toEqual([[[1, 0, 0]], 5])
})

test('the log and events reach who listens, and one that throws harms nobody', async () => {
  const lines: string[] = []
  const cluster = await start('a', { models: [model(net)], log: ({ text }) => void lines.push(text) })
  cluster.on('stopped', () => {
    throw new Error('listener')
  })
  const stopped = new Promise(resolve => cluster.on('stopped', resolve))
  await using _ = cluster
  await cluster.stop()
  await stopped
  expect(lines).toEqual(
    expect.arrayContaining([expect.stringContaining('listening on'), expect.stringContaining('listener')])
  )
})

test('traces go to a receiver, one for each datum that is followed; what is no receiver is refused', async () => {
  await using receiver = await otlpReceiver()
  const cluster = await start('a', { models: [model(net)], tracing: { endpoint: receiver.url, sample: 1 } })
  const source = await cluster.addSource({ name: 'cam', model: 'net' })
  await Promise.all([source.send(x(1, 2)), source.send(x(3, 4))])
  await cluster.stop()
  const roots = receiver.spans.filter(({ name }) => name === 'cam')
  expect(roots.map(({ attributes }) => attributes)).toEqual(
    Array(2).fill(expect.objectContaining({ 'tributary.device': 'a', 'tributary.outcome': 'result' }))
  )
  for (const { traceId, spanId } of roots) {
    const blocks = receiver.spans.filter(span => span.traceId === traceId && /^block \d$/.test(span.name))
    expect(blocks.map(({ parentSpanId }) => parentSpanId)).toEqual([spanId, spanId, spanId])
  }
  await expect(start('b', { tracing: { endpoint: 'collector' } })).rejects.toMatchObject({
    code: 'badOption',
    message: expect.stringContaining('http://collector:4318')
  })
})
