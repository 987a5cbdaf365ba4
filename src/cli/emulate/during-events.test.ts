import { expect, test } from 'vitest'
import { parseScenario } from '../../core/scenario.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { type DuringEventsParts, duringEvents } from './during-events.ts'

const scenario = parseScenario(
  {
    devices: { porch: {}, shed: {} },
    models: { net: { blocks: [{ work: '10ms' }], activations: ['1KB', '1KB'] } },
    sources: [{ name: 'cam', device: 'porch', model: 'net', count: 5 }],
    events: [
      { at: '1s', device: 'shed', joins: true },
      { at: '2s', device: 'shed', speed: 0.5 },
      { at: '3s', link: 'porch->shed', bandwidth: '1Mbps' },
      { at: '4s', device: 'shed', leaves: 'kill' }
    ]
  },
  'test'
)

/** A run that lasts so long; what happened when, and how it ended. */
const during = (duration: Seconds, broken: Partial<DuringEventsParts['cluster']> = {}) => {
  const clock = createManualClock()
  const log: string[] = []
  const note = (what: string): void => void log.push(`${clock.now()} ${what}`)
  const cluster: DuringEventsParts['cluster'] = {
    slow: async (n, speed) => note(`slow ${n} ${speed}`),
    relink: async (from, to) => note(`relink ${from} ${to}`),
    join: async n => note(`join ${n}`),
    kill: n => note(`kill ${n}`),
    leave: n => note(`leave ${n}`),
    ...broken
  }
  const parts = { cluster, scenario, clock, signal: new AbortController().signal }
  const ended = duringEvents(parts, signal => clock.sleep(duration, { signal })).then(
    () => note('over'),
    (error: Error) => note(error.message)
  )
  return { log, ended, advance: (time: number) => clock.advance(seconds(time)) }
}

test('events happen at their instants while the run lasts, and none of them ends it', async () => {
  const whole = during(seconds(9))
  await whole.advance(10)
  expect(whole.log).toEqual(['1 join 1', '2 slow 1 0.5', '3 relink 0 1', '4 kill 1', '9 over'])
  const half = during(seconds(2.5))
  await half.advance(10)
  expect(half.log).toEqual(['1 join 1', '2 slow 1 0.5', '2.5 over'])
})

test('an event that fails ends the run with its error, at once', async () => {
  const slow = during(seconds(9), { slow: () => Promise.reject(new Error('no such group')) })
  await slow.advance(10)
  expect(slow.log).toEqual(['1 join 1', '2 no such group'])
  const join = during(seconds(9), { join: () => Promise.reject(new Error('no room')) })
  await join.advance(10)
  expect(join.log).toEqual(['1 no room'])
})

test('a device that waits for the end of its earlier process holds up no other event', async () => {
  const { log, advance } = during(seconds(9), { join: () => new Promise(() => {}) })
  await advance(10)
  expect(log).toEqual(['2 slow 1 0.5', '3 relink 0 1', '4 kill 1', '9 over'])
})
