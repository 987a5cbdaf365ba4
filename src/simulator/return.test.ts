import { describe, expect, test } from 'vitest'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { POLICIES } from '../scheduler/policies.ts'
import { simulate } from './simulate.ts'
import type { SimulatedEvent, SimulationInput, SimulationOutput } from './simulation-input.ts'

const COUNT = 300

/** Three equal devices, all linked, that carry everything; a source on the first. @returns the blocks that ran, too */
const run = (
  events: readonly SimulatedEvent[],
  over: Partial<SimulationInput> = {}
): SimulationOutput & { readonly ran: readonly { readonly device: number; readonly end: number }[] } => {
  const ran: { device: number; end: number }[] = []
  const output = simulate({
    devices: ['a', 'b', 'c'].map(name => ({ name, speed: 1 })),
    links: [0, 1, 2].flatMap(from =>
      [0, 1, 2].flatMap(to =>
        from === to ? [] : [{ from, to, rate: bytesPerSecond(12.5e6), latency: seconds(0.002) }]
      )
    ),
    models: [{ name: 'm', work: [0.02, 0.02].map(seconds), activations: [100e3, 50e3, 4e3].map(bytes) }],
    sources: [{ name: 's', device: 0, model: 0, count: COUNT, window: 16, weight: 1, availableAt: undefined }],
    carries: () => true,
    policy: POLICIES.confluence,
    observe: { ran: ({ device, end }) => void ran.push({ device, end }), sent: () => {} },
    ...over,
    events
  })
  return { ...output, ran }
}

const expectEachOnce = ({ sources: [source] }: SimulationOutput): void => {
  expect(source).toMatchObject({ admitted: COUNT, completed: COUNT, stuck: undefined })
  expect(new Set(source!.results.map(({ datum }) => datum)).size).toBe(COUNT)
}

const away = (device: number, how: 'kill' | 'stop', from: number, to: number): SimulatedEvent[] => [
  { at: seconds(from), kind: 'leaves', device, how },
  { at: seconds(to), kind: 'joins', device }
]

describe.each([0, 0.1, 0.4, 0.6])('a device that is killed and back after %f s', gap => {
  test.each([
    ['worker', 1],
    ['source', 0]
  ])('%s: nothing is lost, nothing comes twice, and it is used again', (_, device) => {
    const output = run(away(device, 'kill', 1, 1 + gap))
    expectEachOnce(output)
    const later = output.ran.filter(({ end }) => end > 2)
    const share = later.filter(span => span.device === device).length / later.length
    expect(share).toBeGreaterThan(0.25)
    expect(output.makespan).toBeLessThan(run([]).makespan + 1.3 + gap)
  })
})

test('a device that is killed while it stops takes with it what it held, and is used again when it is back', () => {
  const killed: SimulatedEvent = { at: seconds(1.001), kind: 'leaves', device: 1, how: 'kill' }
  const [stop, join] = away(1, 'stop', 1, 2) as [SimulatedEvent, SimulatedEvent]
  const output = run([stop, killed, join])
  expectEachOnce(output)
  expect(output.sources[0]!.resent).toBeGreaterThan(0)
  expect(output.ran.some(({ device, end }) => device === 1 && end > 1.001 && end < 2)).toBe(false)
  expect(output.ran.some(({ device, end }) => device === 1 && end > 2.5)).toBe(true)
})

test('a device that joins before the first reports reports as often as the others', () => {
  const reports = [0, 0, 0]
  run([{ at: seconds(0.05), kind: 'joins', device: 1 }], {
    policy: host => {
      const made = POLICIES.confluence(host)
      return {
        ...made,
        report: now => {
          reports[host.self]!++
          return made.report(now)
        }
      }
    }
  })
  expect(reports[1]).toBeGreaterThan(10)
  expect(Math.abs(reports[1]! - reports[2]!)).toBeLessThanOrEqual(1)
})

test.each(['kill', 'stop'] as const)(
  'a source whose device does not come back (%s) is said to be stuck for that',
  how => {
    const { sources } = run([{ at: seconds(1), kind: 'leaves', device: 0, how }])
    expect(sources[0]!.completed).toBeLessThan(COUNT)
    expect(sources[0]!.stuck).toBe('a left and did not come back')
  }
)

test('what a device was given just before it died goes out again as soon as its death is noticed, though it never said that it had it', () => {
  const carries = [[], [0], [1], [1]]
  const star = (events: readonly SimulatedEvent[]) =>
    run(events, {
      devices: ['a', 'b', 'c', 'd'].map(name => ({ name, speed: 1 })),
      // Nothing that c says reaches a before it is dead.
      links: [0, 1, 2, 3].flatMap(from =>
        [0, 1, 2, 3].flatMap(to =>
          from === to
            ? []
            : [{ from, to, rate: bytesPerSecond(12.5e6), latency: seconds(from === 2 && to === 0 ? 1 : 0.002) }]
        )
      ),
      carries: (device, _, block) => (carries[device] as readonly number[]).includes(block),
      policy: POLICIES['ms-mdi'],
      sources: [
        { name: 's', device: 0, model: 0, count: 3, window: 3, weight: 1, availableAt: datum => seconds(datum * 0.001) }
      ]
    })
  const still = star([])
  const toC = still.ran.find(({ device }) => device === 2)
  expect(toC).toBeDefined()
  // In the middle of the first block that c computes.
  const { sources, makespan } = star([{ at: seconds(toC!.end - 0.01), kind: 'leaves', device: 2, how: 'kill' }])
  expect(sources[0]).toMatchObject({ completed: 3, stuck: undefined })
  expect(sources[0]!.resent).toBeGreaterThan(0)
  expect(makespan).toBeLessThan(2) // silence would be a reason after ten seconds
})

test('what is still on its way to a device that leaves is refused there, and its sender finds another way', () => {
  const handedBack: number[] = []
  const output = run([{ at: seconds(1), kind: 'leaves', device: 1, how: 'stop' }], {
    links: [0, 1].flatMap(from =>
      [0, 1].flatMap(to =>
        from === to ? [] : [{ from, to, rate: bytesPerSecond(12.5e6), latency: seconds(from === 0 ? 0.4 : 0.002) }]
      )
    ),
    devices: [0.2, 1].map((speed, n) => ({ name: `d${n}`, speed })),
    policy: POLICIES['ms-mdi'],
    observe: {
      ran: () => {},
      sent: ({ from, activation, end }) => from === 1 && activation === 0 && handedBack.push(end)
    }
  })
  expectEachOnce(output)
  // What it held goes on at once; what comes until 1.4 s it would have to send on, too, had it taken it.
  expect(handedBack.filter(end => end > 1.2)).toEqual([])
})
