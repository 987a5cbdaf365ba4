import { getEventListeners } from 'node:events'
import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { blockHash, type DeviceId, deviceId, modelId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { bytes, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { ClusterView } from '../cluster/cluster-view.ts'
import { Distrust } from '../cluster/distrust.ts'
import type { DeviceTask } from '../dispatch/device-task.ts'
import { DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { NotWritten } from '../ports/not-written.ts'
import type { SinkEntry } from '../ports/sink-entry.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { SourceRunner, type SourceRunnerParts } from './source-runner.ts'

const manifest = {
  id: 'net',
  name: 'net',
  blocks: [{ work: seconds(0.01) }],
  activations: [{ tensors: [] }]
}

const view = {
  self: 'porch',
  selfIndex: 0,
  manifestNamed: () => manifest,
  chooseModel: () => ({ kind: 'model', name: 'net', manifest }),
  useModel: () => {},
  models: { nameOf: () => 'net' },
  distrust: new Distrust(),
  world: { devices: [{ up: true, speed: 1 }], links: [], modelIndex: () => 0 }
}

/** A source of 50 data, of which 40 have a line in its sink from an earlier process: one of them was no item. */
const restarted = () => {
  const clock = createManualClock()
  const sent: number[] = []
  const weights: number[] = []
  const todo = Array.from({ length: 10 }, (_, i) => ({ datum: 40 + i, item: { name: `${40 + i}` } }))
  const source = new SourceRunner({
    spec: { name: 'cam', window: 6, weight: 1, start: seconds(0) },
    deviceName: 'porch',
    clock,
    wallTime: () => seconds(1e9 + clock.now()),
    view,
    sink: { counts: () => ({ results: 39, failed: 1, noItems: 1, dropped: 0 }), state: () => ({ kind: 'open' }) },
    openItems: async () => ({ todo, total: 50, away: [] }),
    createPort: () => ({ read: async () => [] }),
    availableAt: undefined,
    submit: (task: DeviceTask) => {
      sent.push(task.datum)
      weights.push(task.weight)
    },
    cancel: () => {},
    breaker: new CircuitBreaker(),
    isHere: () => false,
    setAside: () => {},
    say: () => {}
  } as unknown as SourceRunnerParts)
  return { clock, sent, weights, source }
}

test('what a source has admitted is of all its processes, as what it has completed', async () => {
  const { clock, sent, source } = restarted()
  expect(source.status()).toMatchObject({ admitted: 40, completed: 39, failed: 1, noItems: 1, inFlight: 0 })
  const over = new AbortController()
  const running = source.run(over.signal, seconds(0)).catch(() => {})
  await clock.advance(seconds(1))
  expect(sent).toEqual([40, 41, 42, 43, 44, 45])
  expect(source.status()).toMatchObject({ admitted: 46, completed: 39, inFlight: 6 })
  over.abort()
  await running
})

test('another weight holds for what is sent out from then on, and the source goes on as it was', async () => {
  const { clock, weights, source } = restarted()
  const over = new AbortController()
  const running = source.run(over.signal, seconds(0)).catch(() => {})
  await clock.advance(seconds(1))
  source.weigh(3)
  expect(source.status()).toMatchObject({ weight: 3, state: 'running', inFlight: 6 })
  source.deviceLost(deviceId('porch'))
  await clock.advance(seconds(1))
  expect(weights).toEqual([1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 3, 3])
  over.abort()
  await running
})

/**
 * A source of `count` data at device home of a cluster in which every device carries the whole model; what it submits is
 * answered by `serve`, by device: the one that its route names, or else the first of `others`.
 */
const inCluster = (
  count: number,
  others: readonly string[],
  serve: (device: DeviceId, datum: number) => 'result' | 'failed' | 'silence'
) => {
  const clock = createManualClock()
  const home = deviceId('home')
  const clusterView = new ClusterView(home, 1)
  clusterView.addManifest(wholeManifest)
  clusterView.offer(wholeManifest.id, 0, true)
  for (const name of others) {
    const device = deviceId(name)
    clusterView.joined(device)
    const models = [{ model: wholeManifest.id, owner: false, blocks: [{ block: 0, seconds: 0.01 }] }]
    clusterView.heard(device, create(DeviceStateSchema, { device, name, sequence: 1n, speed: 1, models }))
    clusterView.setLink(home, device, 1e9, 0)
  }
  const lines: SinkEntry[] = []
  const submitted: { readonly datum: number; readonly attempt: number; readonly at: number; readonly to: DeviceId }[] =
    []
  const setAside: string[] = []
  const breaker = new CircuitBreaker()
  const source: SourceRunner = new SourceRunner({
    spec: { name: 'cam', window: 8, weight: 1, start: seconds(0) },
    deviceName: 'home',
    clock,
    wallTime: () => seconds(1e9 + clock.now()),
    view: clusterView,
    sink: {
      counts: () => ({ results: lines.length, failed: 0, noItems: 0, dropped: 0 }),
      state: () => ({ kind: 'open' }),
      write: async (entry: SinkEntry) => {
        lines.push(entry)
        return 'written'
      }
    },
    openItems: async () => ({
      todo: Array.from({ length: count }, (_, datum) => ({ datum, item: { name: `${datum}` } })),
      total: count,
      away: []
    }),
    createPort: () => ({ read: async () => [], write: async () => 'answer' }),
    availableAt: undefined,
    breaker,
    isHere: () => false,
    setAside: () => {
      const now = clock.now()
      const list = breaker.setAside(now)
      setAside.push(...list.map(({ device }) => device))
      clusterView.distrust.hear(home, list, now)
      clusterView.review()
    },
    submit: (task: DeviceTask) => {
      const [step] = task.route
      const byPolicy = clusterView.world.devices.findIndex((_, n) => n > 0 && clusterView.world.carriesAll(n, 0))
      const { id } = clusterView.world.devices[step?.device ?? Math.max(0, byPolicy)]!
      submitted.push({ datum: task.datum, attempt: task.attempt, at: clock.now(), to: id })
      const ref = { source: 'cam@home', datum: task.datum, attempt: task.attempt }
      void clock.sleep(seconds(0.01)).then(() => {
        source.custody(ref, id)
        const outcome = serve(id, task.datum)
        if (outcome === 'failed') source.failed(ref, { device: id, block: 0, because: 'illegal instruction' })
        if (outcome === 'result') source.delivered({ ...task, tensors: [] })
      })
    },
    cancel: () => {},
    say: () => {}
  } as unknown as SourceRunnerParts)
  const over = new AbortController()
  const running = source.run(over.signal, seconds(0)).catch(() => {})
  const pass = async (duration: number): Promise<void> => {
    for (let t = 0; t < duration; t += 0.1) {
      await clock.advance(seconds(0.1))
      source.tick()
    }
  }
  const end = async (): Promise<void> => {
    over.abort()
    await source.stop()
    await clock.advance(seconds(10))
    await running
  }
  const leave = (name: string): void => clusterView.left(deviceId(name))
  const comeBack = (name: string): void => void clusterView.joined(deviceId(name))
  return { source, lines, submitted, setAside, pass, end, clock, leave, comeBack }
}

const wholeManifest: ModelManifest = {
  id: modelId('net'),
  name: 'net',
  sha256: '',
  blocks: [{ sha256: blockHash('0'), bytes: bytes(1), flops: 1, work: seconds(0.01) }],
  activations: [0, 1].map(() => ({ bytes: bytes(4), tensors: [] })),
  inputs: [],
  outputs: []
}

test('a device that fails every datum loses none: others compute them, it is set aside and tried again later', async () => {
  let tries = 0
  const { lines, setAside, pass, end, source } = inCluster(200, ['broken', 'good'], device => {
    if (device !== 'broken') return 'result'
    tries++
    return 'failed'
  })
  await pass(60)
  expect(lines.filter(line => 'result' in line)).toHaveLength(200)
  expect(source.status()).toMatchObject({ lost: 0 })
  expect(setAside).toContain('broken')
  expect(tries).toBeLessThan(24) // its first window, and a few that were on their way when it was tried again
  await end()
})

test('the home device may be the broken one', async () => {
  const { lines, setAside, pass, end } = inCluster(50, ['good'], device => (device === 'home' ? 'failed' : 'result'))
  await pass(60)
  expect(lines.filter(line => 'result' in line)).toHaveLength(50)
  expect(setAside.filter(device => device !== 'home')).toEqual([])
  await end()
})

test('a datum that no device can compute is given up with its cause, once, and nobody is set aside for it', async () => {
  const { lines, setAside, submitted, pass, end } = inCluster(30, ['a', 'b'], (_, datum) =>
    datum % 10 === 3 ? 'failed' : 'result'
  )
  await pass(60)
  expect(lines.filter(line => 'result' in line)).toHaveLength(27)
  const failed = lines.filter(line => 'failed' in line)
  expect(failed.map(({ datum }) => datum).sort((x, y) => x - y)).toEqual([3, 13, 23])
  expect(failed[0]).toMatchObject({ failed: true, cause: 'illegal instruction', attempts: 3 })
  expect(submitted.filter(({ datum }) => datum === 3)).toHaveLength(3)
  expect(setAside).toEqual([])
  await end()
})

test('on a device alone what fails three times is given up', async () => {
  const { lines, pass, end } = inCluster(5, [], (_, datum) => (datum === 2 ? 'failed' : 'result'))
  await pass(10)
  expect(lines.map(line => ('failed' in line ? 'failed' : 'result')).sort()).toEqual([
    'failed',
    ...Array(4).fill('result')
  ])
  await end()
})

test('silence and losses are never counted: a datum is sent again, ever more rarely, until somebody answers', async () => {
  let answers = false
  const { lines, submitted, pass, end, source, clock } = inCluster(1, ['a'], () => (answers ? 'result' : 'silence'))
  await pass(700)
  const first = submitted.map(({ at }) => Math.round(at))
  expect(first.length).toBeGreaterThan(4)
  expect(first.length).toBeLessThan(8)
  for (let i = 0; i < 30; i++) {
    source.lost({ source: 'cam@home', datum: 0, attempt: submitted.length }, submitted.at(-1)!.to, 'letGo')
    await pass(6)
  }
  expect(lines).toEqual([])
  const pauses = submitted.slice(-5).map(({ at }, i, all) => at - (all[i - 1]?.at ?? at))
  expect(Math.max(...pauses)).toBeLessThan(7) // who lets it go is followed by a pause of at most five seconds
  answers = true
  source.deviceLost(submitted.at(-1)!.to)
  await pass(1)
  expect(lines.filter(line => 'result' in line)).toHaveLength(1)
  expect(clock.now()).toBeGreaterThan(800)
  await end()
})

test('a source that is woken a thousand times within a tick does not listen to its end a thousand times', async () => {
  const clock = createManualClock()
  const over = new AbortController()
  let mostListeners = 0
  const todo = Array.from({ length: 1000 }, (_, i) => ({ datum: i, item: { name: `${i}` } }))
  const written: number[] = []
  const source: SourceRunner = new SourceRunner({
    spec: { name: 'cam', window: 1, weight: 1, start: seconds(0) },
    deviceName: 'porch',
    clock,
    wallTime: () => seconds(1e9 + clock.now()),
    view,
    sink: {
      counts: () => ({ results: 0, failed: 0 }),
      state: () => ({ kind: 'open' }),
      write: async ({ datum }: { readonly datum: number }) => written.push(datum)
    },
    openItems: async () => ({ todo, total: todo.length, away: [] }),
    createPort: () => ({ read: async () => [], write: async () => 'answer' }),
    availableAt: undefined,
    submit: (task: DeviceTask) => {
      mostListeners = Math.max(mostListeners, getEventListeners(over.signal, 'abort').length)
      setImmediate(() => source.delivered(task))
    },
    cancel: () => {},
    breaker: new CircuitBreaker(),
    isHere: () => false,
    setAside: () => {},
    say: () => {}
  } as unknown as SourceRunnerParts)
  await source.run(over.signal, seconds(0)) // the clock stands still: every wait ends because it is woken
  expect([written.length, mostListeners < 5]).toEqual([1000, true])
})

test('a window of results that are not in the sink is one line for each cause, and none where the sink says it', async () => {
  const clock = createManualClock()
  const over = new AbortController()
  const said: string[] = []
  let error: Error = new Error('unused')
  const todo = Array.from({ length: 32 }, (_, i) => ({ datum: i, item: { name: `${i}` } }))
  const tasks: DeviceTask[] = []
  const full = refusal('ENOSPC', "no space left on device, open '/r/0.y.npy.part'")
  let isFull = false
  const source: SourceRunner = new SourceRunner({
    spec: { name: 'cam', window: 32, weight: 1, start: seconds(0) },
    deviceName: 'porch',
    clock,
    wallTime: () => seconds(1e9 + clock.now()),
    view,
    sink: {
      counts: () => ({ results: 0, failed: 0 }),
      state: () => ({ kind: 'open' }),
      write: () => Promise.reject(error)
    },
    openItems: async () => ({ todo, total: todo.length, away: [] }),
    createPort: () => ({
      read: async () => [],
      write: async () => {
        if (isFull) throw full
        return 'answer'
      }
    }),
    availableAt: undefined,
    submit: (task: DeviceTask) => tasks.push(task),
    cancel: () => {},
    breaker: new CircuitBreaker(),
    isHere: () => false,
    setAside: () => {},
    say: (text: string) => said.push(text)
  } as unknown as SourceRunnerParts)
  const running = source.run(over.signal, seconds(0)).catch(() => {})
  await clock.advance(seconds(1))
  expect(tasks).toHaveLength(32)
  error = new NotWritten('0 was not written: the disk is full')
  for (const task of tasks.slice(0, 8)) source.delivered(task)
  await clock.advance(seconds(0.01))
  expect(said).toEqual([])
  error = new UserError('sink s: has been closed')
  for (const task of tasks.slice(8, 16)) source.delivered(task)
  await clock.advance(seconds(0.01))
  expect(said.splice(0)).toEqual([
    'source cam: 8: not in the sink: sink s: has been closed; the next start does it again'
  ])
  isFull = true
  for (const task of tasks.slice(16)) source.delivered(task)
  await clock.advance(seconds(3))
  expect(said.splice(0)).toEqual([
    'source cam: 16: its result cannot be written: the disk is full (ENOSPC); trying again, others likewise'
  ])
  over.abort()
  await running
})

const refusal = (code: string, text: string): Error =>
  Object.assign(new Error(`${code}: ${text}`), { code, syscall: 'open' })

test('outputs that no result can be made of fail their data, with the cause, and the source goes on', async () => {
  const clock = createManualClock()
  const lines: SinkEntry[] = []
  const errors = [
    new UserError('has 2 classes'),
    new TypeError('undefined is not'),
    refusal('ENAMETOOLONG', 'too long')
  ]
  const todo = ['0', '1', '2', '3'].map((name, datum) => ({ datum, item: { name } }))
  const source: SourceRunner = new SourceRunner({
    spec: { name: 'cam', window: 1, weight: 1, start: seconds(0) },
    ...{ deviceName: 'porch', clock, wallTime: () => clock.now(), view, availableAt: undefined },
    sink: {
      counts: () => ({ results: 0, failed: 0, noItems: 0, dropped: 0 }),
      state: () => ({ kind: 'open' }),
      write: async (entry: SinkEntry) => lines.push(entry)
    },
    openItems: async () => ({ todo, total: todo.length, away: [] }),
    createPort: () => ({
      read: async () => [],
      write: async ({ name }: { readonly name: string }) => {
        const error = errors[Number(name)]
        if (error !== undefined) throw error
        return 'answer'
      }
    }),
    submit: (task: DeviceTask) => void clock.sleep(seconds(0.01)).then(() => source.delivered(task)),
    ...{ cancel: () => {}, breaker: new CircuitBreaker(), isHere: () => false, setAside: () => {}, say: () => {} }
  } as unknown as SourceRunnerParts)
  const running = source.run(new AbortController().signal, seconds(0))
  await clock.advance(seconds(1))
  await running
  expect(lines).toMatchObject([
    { datum: 0, failed: true, cause: 'no result can be made: has 2 classes', attempts: 1 },
    { datum: 1, failed: true, cause: 'no result can be made: undefined is not' },
    { datum: 2, failed: true, cause: 'no result can be made: ENAMETOOLONG: too long' },
    { datum: 3, result: 'answer' }
  ])
  expect(source.status()).toMatchObject({ state: 'done', inFlight: 0, lost: 3, because: '' })
})

test('a source is not done before it is in the sink that its last item was none', async () => {
  const clock = createManualClock()
  const lines: number[] = []
  const source = new SourceRunner({
    spec: { name: 'cam', window: 4, weight: 1, start: seconds(0), patience: seconds(30) },
    deviceName: 'porch',
    clock,
    wallTime: () => seconds(1e9),
    view,
    sink: {
      counts: () => ({ results: 0, failed: lines.length, noItems: lines.length }),
      state: () => ({ kind: 'open' }),
      write: ({ datum }: SinkEntry) => clock.sleep(seconds(3)).then(() => lines.push(datum))
    },
    openItems: async () => ({ todo: [{ datum: 0, item: { name: '0' } }], total: 1, away: [] }),
    createPort: () => ({
      read: () => Promise.reject(new UserError('no image')),
      stamp: async () => ({ id: 'same', modified: seconds(0) })
    }),
    availableAt: undefined,
    submit: () => {},
    cancel: () => {},
    breaker: new CircuitBreaker(),
    isHere: () => false,
    setAside: () => {},
    say: () => {}
  } as unknown as SourceRunnerParts)
  let isDone = false
  const running = source.run(new AbortController().signal, seconds(0)).then(() => {
    isDone = true
  })
  await clock.advance(seconds(3)) // read again until it is believed; then the disk takes its time
  expect([isDone, lines, source.status().state]).toEqual([false, [], 'running'])
  await clock.advance(seconds(4))
  await running
  expect([lines, source.status().state]).toEqual([[0], 'done'])
})

test('a device that fails everything gives none of its data up while those who could compute them are started anew', async () => {
  const { lines, pass, end, leave, comeBack } = inCluster(5, ['a'], device => (device === 'home' ? 'failed' : 'result'))
  leave('a')
  await pass(10)
  expect(lines).toEqual([])
  comeBack('a')
  await pass(20)
  expect(lines.filter(line => 'result' in line)).toHaveLength(5)
  await end()
})
