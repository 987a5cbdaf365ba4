import { expect, test } from 'vitest'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { POLICIES } from '../scheduler/policies.ts'
import { simulate } from './simulate.ts'
import type { SimulatedEvent } from './simulation-input.ts'

const links = [
  { from: 0, to: 1 },
  { from: 1, to: 0 },
  { from: 0, to: 2 },
  { from: 2, to: 0 }
]

/** A star of three; the source is in the middle, the others can do more than it asks. @returns when each block on device 1 ended */
const run = (events: readonly SimulatedEvent[], adapts = true): readonly number[] => {
  const ends: number[] = []
  const { sources } = simulate({
    devices: [0.2, 1, 0.6].map((speed, n) => ({ name: `d${n}`, speed })),
    links: links.map(link => ({ ...link, rate: bytesPerSecond(12.5e6), latency: seconds(0.003) })),
    models: [{ name: 'm', work: [0.02, 0.02].map(seconds), activations: [100e3, 50e3, 4e3].map(bytes) }],
    sources: [
      { name: 's', device: 0, model: 0, count: 120, window: 64, weight: 1, availableAt: datum => seconds(datum / 10) }
    ],
    carries: () => true,
    policy: POLICIES.confluence,
    observe: { ran: ({ device, end }) => device === 1 && ends.push(end), sent: () => {} },
    events,
    adapts
  })
  expect(sources[0]!.completed).toBe(120)
  return ends
}

const latency = (at: number, value: number): SimulatedEvent => ({
  at: seconds(at),
  kind: 'link',
  links: links.slice(0, 2),
  rate: undefined,
  latency: seconds(value)
})

const perSecond = (ends: readonly number[], from: number, to: number): number =>
  ends.filter(end => end >= from && end < to).length / (to - from)

test('a link that was late for a while is avoided meanwhile and used as before afterwards, though no frame has crossed it', () => {
  const ends = run([latency(3, 3), latency(6, 0.003)])
  expect(perSecond(ends, 4, 6)).toBeLessThan(0.2 * perSecond(ends, 1, 3))
  expect(perSecond(ends, 8, 10)).toBeGreaterThan(0.9 * perSecond(ends, 1, 3))
})

test('without adaptation a late link is used as if it were not', () => {
  const ends = run([latency(3, 0.5)], false)
  expect(perSecond(ends, 6, 8)).toBeGreaterThan(0.3 * perSecond(ends, 1, 3))
})
