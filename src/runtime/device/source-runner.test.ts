import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import type { DeviceTask } from '../dispatch/device-task.ts'
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
  models: { nameOf: () => 'net' },
  world: { devices: [{ up: true, speed: 1 }], modelIndex: () => 0 }
}

/** A source of 50 data, of which 40 have a line in its sink from an earlier process: one of them was skipped. */
const restarted = () => {
  const clock = createManualClock()
  const sent: number[] = []
  const todo = Array.from({ length: 10 }, (_, i) => ({ datum: 40 + i, item: { name: `${40 + i}` } }))
  const source = new SourceRunner({
    spec: { name: 'cam', window: 6, weight: 1, start: seconds(0) },
    deviceName: 'porch',
    clock,
    view,
    sink: { counts: () => ({ results: 39, skipped: 1, failed: 0 }), state: () => ({ kind: 'open' }) },
    openItems: async () => ({ todo, total: 50 }),
    createPort: () => ({ read: async () => [] }),
    availableAt: undefined,
    submit: (task: { readonly datum: number }) => sent.push(task.datum),
    cancel: () => {},
    say: () => {}
  } as unknown as SourceRunnerParts)
  return { clock, sent, source }
}

test('what a source has admitted is of all its processes, as what it has completed', async () => {
  const { clock, sent, source } = restarted()
  expect(source.status()).toMatchObject({ admitted: 39, completed: 39, skipped: 1, inFlight: 0 })
  const over = new AbortController()
  const running = source.run(over.signal, seconds(0)).catch(() => {})
  await clock.advance(seconds(1))
  expect(sent).toEqual([40, 41, 42, 43, 44, 45])
  expect(source.status()).toMatchObject({ admitted: 45, completed: 39, inFlight: 6 })
  over.abort()
  await running
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
    view,
    sink: {
      counts: () => ({ results: 0, skipped: 0 }),
      state: () => ({ kind: 'open' }),
      write: async ({ datum }: { readonly datum: number }) => written.push(datum)
    },
    openItems: async () => ({ todo, total: todo.length }),
    createPort: () => ({ read: async () => [], write: async () => 'answer' }),
    availableAt: undefined,
    submit: (task: DeviceTask) => {
      mostListeners = Math.max(mostListeners, getEventListeners(over.signal, 'abort').length)
      setImmediate(() => source.delivered(task))
    },
    cancel: () => {},
    say: () => {}
  } as unknown as SourceRunnerParts)
  await source.run(over.signal, seconds(0)) // the clock stands still: every wait ends because it is woken
  expect([written.length, mostListeners < 5]).toEqual([1000, true])
})
