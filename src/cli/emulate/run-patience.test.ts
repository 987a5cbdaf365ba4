import { expect, it } from 'vitest'
import { parseScenario } from '../../core/scenario.ts'
import { seconds } from '../../core/units.ts'
import type { ClusterStatus } from '../../runtime/device/device-status.ts'
import { RunPatience } from './run-patience.ts'

const scenario = (source: object, events: readonly object[] = []) =>
  parseScenario(
    {
      devices: { porch: {}, shed: {} },
      models: { net: { blocks: [{ work: '10ms' }], activations: ['1KB', '1KB'] } },
      sources: [{ name: 'door', device: 'porch', model: 'net', count: 5, ...source }],
      events
    },
    'test'
  )

interface Said {
  readonly completed?: number
  readonly admitted?: number
  readonly dropped?: number
  readonly busySeconds?: number
  readonly waiting?: number
  readonly lane?: number
  readonly isPlaced?: boolean
}

const status = (name: string, said: Said): ClusterStatus =>
  ({
    devices: [
      {
        name,
        busySeconds: said.busySeconds ?? 0,
        weightsFetched: 0,
        queue: { lane: said.lane ?? 0, links: 0, waiting: said.waiting ?? 0 }
      }
    ],
    sources:
      name === 'porch'
        ? [
            {
              name: 'door',
              device: 'porch',
              completed: said.completed ?? 0,
              admitted: said.admitted ?? 0,
              dropped: said.dropped ?? 0,
              inFlight: (said.admitted ?? 0) - (said.completed ?? 0) - (said.dropped ?? 0)
            }
          ]
        : [],
    placement: { ready: said.isPlaced ?? true }
  }) as unknown as ClusterStatus

/** A run that began at 0; what was said at which instant. Whether it is over, where all devices are there. */
const run = (...of: Parameters<typeof scenario>) => {
  const patience = new RunPatience(scenario(...of))
  patience.begin(seconds(0))
  return {
    patience,
    says: (at: number, device: string, said: Said) => patience.heard(device, status(device, said), seconds(at)),
    isOver: (at: number, gone: readonly number[] = []) => patience.isOver(seconds(at), n => !gone.includes(n))
  }
}

it('is over when all sources are done', () => {
  const { patience, isOver } = run({})
  expect(isOver(1)).toBe(false)
  patience.done(0, seconds(1))
  expect(isOver(1)).toBe(true)
})

it('is over a minute after the last news', () => {
  const { says, isOver } = run({})
  says(5, 'porch', { completed: 2, admitted: 5 })
  says(30, 'porch', { completed: 2, admitted: 5 })
  expect(isOver(64)).toBe(false)
  expect(isOver(66)).toBe(true)
})

it('has news of data that are dropped, while none comes home', () => {
  const { says, isOver } = run({})
  says(5, 'porch', { completed: 2, admitted: 5 })
  says(30, 'porch', { completed: 2, dropped: 1, admitted: 5 })
  expect(isOver(89)).toBe(false)
  expect(isOver(91)).toBe(true)
})

it('waits for data that are not born yet, at whatever pace, and for a source that starts late', () => {
  expect(run({ start: '90s' }).isOver(149)).toBe(false)
  expect(run({ start: '90s' }).isOver(151)).toBe(true)
  const slow = run({ arrivals: { every: '90s' } })
  slow.says(1, 'porch', { completed: 1, admitted: 1 })
  expect(slow.isOver(150)).toBe(false)
  expect(slow.isOver(152)).toBe(true)
  slow.says(153, 'porch', { completed: 4, admitted: 5 }) // the last one is born: no more to wait for
  expect(slow.isOver(214)).toBe(true)
  expect(run({ arrivals: { poisson: '0.01/s' } }).isOver(2000)).toBe(false)
})

it('waits for a block that takes minutes: a lane that works is news', () => {
  const { says, isOver } = run({})
  for (let at = 1; at < 500; at++) says(at, 'shed', { busySeconds: at, lane: 1 })
  expect(isOver(520)).toBe(false)
})

it('gives up soon where data wait for what nobody carries, but not while blocks are fetched', () => {
  const stuck = run({})
  stuck.says(1, 'porch', { admitted: 5, waiting: 5 })
  expect(stuck.isOver(10)).toBe(false)
  expect(stuck.isOver(12)).toBe(true)
  const fetching = run({})
  fetching.says(1, 'porch', { admitted: 5, waiting: 5, isPlaced: false })
  expect(fetching.isOver(300)).toBe(false)
  expect(fetching.isOver(602)).toBe(true)
})

it('does not believe what devices said that are gone', () => {
  const { says, isOver } = run({})
  says(1, 'shed', { lane: 3 })
  says(1, 'porch', { admitted: 5, waiting: 5 })
  expect(isOver(12)).toBe(false)
  expect(isOver(12, [1])).toBe(true)
})

it('does not wait for a source whose device is gone, unless it comes back', () => {
  expect(run({}).isOver(1, [0])).toBe(true)
  const back = run({}, [
    { at: '1s', device: 'porch', leaves: 'kill' },
    { at: '300s', device: 'porch', joins: true }
  ])
  expect(back.isOver(299, [0])).toBe(false)
  expect(back.isOver(306, [0])).toBe(true)
  expect(back.isOver(306)).toBe(false)
})

it('knows when a result last came home', () => {
  const { says, patience } = run({})
  says(5, 'porch', { completed: 2, admitted: 5 })
  says(9, 'porch', { completed: 2, admitted: 5 })
  expect(patience.lastResultAt).toBe(5)
})

it('knows exactly when a device had all its results, whatever it says later, also as a new process', () => {
  const { says, patience } = run({})
  says(5, 'porch', { completed: 2, admitted: 5 })
  patience.done(0, seconds(5.125))
  says(6, 'porch', { completed: 5, admitted: 5 })
  patience.done(0, seconds(9))
  expect(patience.lastResultAt).toBe(5.125)
})
