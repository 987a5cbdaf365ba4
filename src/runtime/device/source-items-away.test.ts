import { expect, test } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { Distrust } from '../cluster/distrust.ts'
import { ItemUnavailable } from '../ports/item-unavailable.ts'
import type { SinkEntry } from '../ports/sink-entry.ts'
import { SourceRunner, type SourceRunnerParts } from './source-runner.ts'

const manifest = { id: 'net', name: 'net', blocks: [{ work: seconds(0.01) }], activations: [{ tensors: [] }] }
const viewOf = (named: () => { readonly id: string } | undefined) => ({
  self: 'porch',
  selfIndex: 0,
  manifestNamed: named,
  chooseModel: () => (named() === undefined ? { kind: 'absent' } : { kind: 'model', name: 'net', manifest: named() }),
  useModel: () => {},
  models: { nameOf: () => 'net' },
  distrust: new Distrust(),
  world: { devices: [{ up: true, speed: 1 }], links: [], modelIndex: () => 0 }
})

/** A source of `count` items in a folder that the test takes away, and a cluster that answers what `answers` says. */
const setUp = (
  count: number,
  { patience = 30, answers = true, away = 0, availableAt = undefined as ((i: number) => Seconds) | undefined } = {}
) => {
  const clock = createManualClock()
  const folder = {
    ...{ isAway: false, gone: new Set<number>(), bad: new Set<number>(), isAnswered: answers },
    /** What every item looks like, and how often that was looked at. */
    ...{ stamp: 'same', looks: 0 }
  }
  const model = { now: manifest as { readonly id: string } | undefined }
  const sent: number[] = []
  const sentTo: string[] = []
  const written: SinkEntry[] = []
  const said: string[] = []
  const todo = Array.from({ length: count }, (_, datum) => ({ datum, item: { name: `${datum}` } }))
  const source: SourceRunner = new SourceRunner({
    spec: { name: 'cam', window: 4, weight: 1, start: seconds(0), patience: seconds(patience) },
    deviceName: 'porch',
    clock,
    wallTime: () => seconds(1e9 + clock.now()),
    view: viewOf(() => model.now),
    sink: {
      counts: () => ({ results: 0, failed: 0, noItems: 0, dropped: 0 }),
      state: () => ({ kind: 'open' }),
      write: async (entry: SinkEntry) => {
        written.push(entry)
      }
    },
    openItems: async () => ({ todo: todo.slice(away), total: count, away: todo.slice(0, away), left: 0 }),
    createPort: () => ({
      read: async ({ name }: { name: string }) => {
        if (folder.isAway || folder.gone.has(Number(name))) throw new ItemUnavailable('there is no such folder')
        if (folder.bad.has(Number(name))) throw new UserError('is not an image')
        return []
      },
      stamp: async ({ name }: { name: string }) => {
        folder.looks++
        if (folder.isAway || folder.gone.has(Number(name))) throw new ItemUnavailable('there is no such folder')
        return { id: folder.stamp, modified: seconds(0) }
      },
      write: async () => 'answer'
    }),
    availableAt,
    submit: (task: { readonly datum: number; readonly modelId: string }) => {
      sent.push(task.datum)
      sentTo.push(task.modelId)
      if (folder.isAnswered)
        queueMicrotask(() =>
          source.delivered({ datum: task.datum, modelId: task.modelId, tensors: [], attempt: 1 } as never)
        )
    },
    cancel: () => {},
    say: (text: string) => said.push(text)
  } as unknown as SourceRunnerParts)
  const over = new AbortController()
  const running = source.run(over.signal, seconds(0))
  running.catch(() => {})
  const end = async (): Promise<void> => {
    over.abort()
    await running.catch(() => {})
  }
  const results = (): number[] => written.flatMap(entry => ('result' in entry ? [entry.datum] : []))
  return { clock, folder, model, sent, sentTo, written, said, source, end, results, running }
}

const all = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

test('a folder that is away for two seconds: every item has its result, none has failed', async () => {
  const { clock, folder, results, source, said, running } = setUp(50, { availableAt: i => seconds(i * 0.1) })
  await clock.advance(seconds(1))
  expect(results().length).toBeGreaterThan(5)
  folder.isAway = true
  await clock.advance(seconds(2))
  expect(source.status().unavailable).toBeGreaterThan(10)
  folder.isAway = false
  await clock.advance(seconds(10))
  await running
  expect(results().sort((a, b) => a - b)).toEqual(all(50))
  expect(source.status()).toMatchObject({ state: 'done', unavailable: 0, lost: 0 })
  expect(said.filter(text => /has failed|given up/.test(text))).toEqual([])
})

test('items of an earlier run that are still away: waited for as long as the patience, counted, and left to the next start', async () => {
  const { clock, folder, results, source, said, running } = setUp(6, { patience: 5, away: 2 })
  for (const datum of [0, 1]) folder.gone.add(datum)
  await clock.advance(seconds(4))
  expect(source.status()).toMatchObject({ state: 'running', available: 6, unavailable: 2 })
  await clock.advance(seconds(10))
  await running
  expect(results()).toEqual([2, 3, 4, 5])
  expect(source.status()).toMatchObject({ state: 'done', available: 6, unavailable: 2 })
  expect(said.at(-1)).toBe('source cam: 2 items could not be read; the next start tries them again')
})

test('an item of an earlier run that comes back within the patience is done, and takes no turn of the others before', async () => {
  const { clock, folder, results, source, running } = setUp(6, { away: 2, availableAt: i => seconds(i) })
  for (const datum of [0, 1]) folder.gone.add(datum)
  await clock.advance(seconds(3.5))
  expect(results()).toEqual([2, 3, 4, 5])
  expect(source.status()).toMatchObject({ state: 'running', unavailable: 2 })
  folder.gone.clear()
  await clock.advance(seconds(6))
  await running
  expect(results().sort()).toEqual(all(6))
  expect(source.status()).toMatchObject({ state: 'done', available: 6, unavailable: 0 })
})

test('a folder that stays away: the source is done when patience is, says so, and the sink has no line of what it did not read', async () => {
  const { clock, folder, results, written, source, said, running } = setUp(6, { patience: 5 })
  folder.isAway = true
  await clock.advance(seconds(4))
  expect(source.status()).toMatchObject({ state: 'running', unavailable: 6 })
  await clock.advance(seconds(10))
  await running
  expect(source.status()).toMatchObject({ state: 'done', unavailable: 6, lost: 0, inFlight: 0 })
  expect([results(), written]).toEqual([[], []])
  expect(said.at(-1)).toBe('source cam: 6 items could not be read; the next start tries them again')
})

test('a datum that is lost on its way while its folder is away is sent again when it is back', async () => {
  const { clock, folder, sent, source, results, running } = setUp(2, { answers: false })
  await clock.advance(seconds(0.2))
  expect(sent).toEqual([0, 1])
  folder.isAway = true
  source.deviceLost(deviceId('porch'))
  await clock.advance(seconds(3))
  expect(sent).toEqual([0, 1])
  expect(source.status()).toMatchObject({ inFlight: 2, unavailable: 2 })
  folder.isAway = false
  folder.isAnswered = true
  await clock.advance(seconds(6))
  await running
  expect(sent.slice(2).sort()).toEqual([0, 1])
  expect(results().sort()).toEqual([0, 1])
})

test('a lost datum whose item never comes back is let go without a line; its late result before that still counts', async () => {
  const { clock, folder, source, results, written, running } = setUp(2, { answers: false, patience: 5 })
  await clock.advance(seconds(0.2))
  folder.isAway = true
  source.deviceLost(deviceId('porch'))
  await clock.advance(seconds(1))
  source.delivered({ datum: 1, modelId: 'net', tensors: [], attempt: 1 } as never)
  await clock.advance(seconds(12))
  await running
  expect([results(), written.length]).toEqual([[1], 1])
  expect(source.status()).toMatchObject({ state: 'done', unavailable: 1, inFlight: 0, lost: 0 })
})

test('an item that has become bad after it was sent has failed, with its cause', async () => {
  const { clock, folder, source, written, running } = setUp(1, { answers: false })
  await clock.advance(seconds(0.2))
  folder.bad.add(0)
  source.deviceLost(deviceId('porch'))
  await clock.advance(seconds(5))
  await running
  expect(written).toEqual([
    {
      source: 'cam@porch',
      datum: 0,
      item: '0',
      failed: true,
      cause: 'cannot be read again: is not an image',
      attempts: 1,
      availableAt: 1e9,
      doneAt: 1e9 + 1.4
    }
  ])
})

test('items that are put aside take no room in the window, and never more than it has is sent', async () => {
  const { clock, folder, sent, end } = setUp(20, { answers: false })
  folder.isAway = true
  await clock.advance(seconds(1))
  folder.isAway = false
  await clock.advance(seconds(10))
  expect(sent).toHaveLength(4)
  await end()
})

test('a half-written item that pauses for long has failed, and computed in the same run when it is whole', async () => {
  const { clock, folder, results, written, source, running } = setUp(3, { availableAt: i => seconds(i * 20) })
  folder.bad.add(0)
  await clock.advance(seconds(15))
  expect(written).toEqual([
    { source: 'cam@porch', datum: 0, item: '0', failed: true, cause: 'is not an image', attempts: 0 }
  ])
  folder.bad.delete(0)
  folder.stamp = 'whole'
  await clock.advance(seconds(6))
  expect(results()).toEqual([0, 1])
  await clock.advance(seconds(30))
  await running
  expect(results()).toEqual([0, 1, 2])
  expect(source.status()).toMatchObject({ state: 'done', unavailable: 0, inFlight: 0 })
})

test('what was no item is looked at once more when all else is done', async () => {
  const { clock, folder, written, source, results, running } = setUp(2, { answers: false })
  folder.bad.add(1)
  await clock.advance(seconds(12))
  expect(written.map(entry => 'failed' in entry)).toEqual([true])
  // Between two looks it becomes whole, and the last result comes.
  const looked = folder.looks
  await clock.advance(seconds(5))
  expect(folder.looks).toBeGreaterThan(looked)
  folder.bad.delete(1)
  folder.stamp = 'whole'
  folder.isAnswered = true
  source.delivered({ datum: 0, modelId: 'net', tensors: [], attempt: 1 } as never)
  await clock.advance(seconds(1))
  await running
  expect(results()).toEqual([0, 1])
})

test('an item that was given up and is back while others are still on their way is done, also when it had been sent', async () => {
  const { clock, folder, sent, results, source, running } = setUp(3, { answers: false, patience: 5, away: 1 })
  folder.gone.add(0)
  await clock.advance(seconds(1))
  expect(sent).toEqual([1, 2])
  folder.gone.add(1)
  source.lost({ source: 'cam@porch', datum: 1, attempt: 1 }, deviceId('porch'))
  await clock.advance(seconds(15))
  expect(source.status()).toMatchObject({ unavailable: 2, inFlight: 1 })
  folder.gone.clear()
  folder.stamp = 'back'
  folder.isAnswered = true
  await clock.advance(seconds(6))
  source.delivered({ datum: 2, modelId: 'net', tensors: [], attempt: 1 } as never)
  await clock.advance(seconds(1))
  await running
  expect(results().sort()).toEqual([0, 1, 2])
  expect(source.status()).toMatchObject({ state: 'done', unavailable: 0, inFlight: 0 })
})

test('a source that is stopped while items are away is not done', async () => {
  const { clock, folder, source, running } = setUp(3)
  folder.isAway = true
  await clock.advance(seconds(1))
  await source.stop()
  await clock.advance(seconds(1))
  await running
  expect(source.status()).toMatchObject({ state: 'stopped' })
})

test('a model that is replaced, or away, while items are: they go to the one that is there when they can be read', async () => {
  const { clock, folder, model, sent, sentTo, source, end, results } = setUp(2, { answers: false })
  await clock.advance(seconds(1))
  expect(sent).toEqual([0, 1])
  folder.isAway = true
  source.deviceLost(deviceId('porch'))
  await clock.advance(seconds(1))
  model.now = undefined
  source.tick()
  expect(source.status()).toMatchObject({ state: 'waits for model net', because: expect.stringContaining('has left') })
  folder.isAway = false
  await clock.advance(seconds(10))
  expect(sent).toEqual([0, 1])
  model.now = { ...manifest, id: 'other' }
  folder.isAnswered = true
  source.tick()
  await clock.advance(seconds(10))
  expect(results().sort((a, b) => a - b)).toEqual([0, 1])
  expect([...new Set(sentTo.slice(2))]).toEqual(['other'])
  expect(source.status()).toMatchObject({ because: '', unavailable: 0 })
  await end()
})
