import { expect, test } from 'vitest'
import { NOTHING_LEARNT } from '../cluster/learnt-rate.ts'
import { RoundTrip } from '../cluster/round-trip.ts'
import { deviceId } from '../core/ids.ts'
import { type Bytes, bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { World } from '../core/world.ts'
import { POLICIES } from '../scheduler/policies.ts'
import type { CreatePolicy, PolicyHost } from '../scheduler/policy.ts'
import { type LearntLink, LinkLearning } from './link-learning.ts'
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

test('that a link has become late is believed after three pings that agree, that it is no longer after one', () => {
  const believed: (readonly [number, number])[] = []
  let host: PolicyHost | undefined
  const policy: CreatePolicy = given => {
    if (given.self === 0) host = given
    const made = POLICIES.local(given)
    return {
      ...made,
      report: now => {
        const { latency } = host!.world.link(0, 1)!
        if (latency !== believed.at(-1)?.[1]) believed.push([now, latency])
        return made.report(now)
      }
    }
  }
  simulate({
    devices: ['a', 'b'].map(name => ({ name, speed: 1 })),
    links: links.slice(0, 2).map(link => ({ ...link, rate: bytesPerSecond(1e6), latency: seconds(0.01) })),
    models: [{ name: 'm', work: [seconds(0.1)], activations: [bytes(1), bytes(1)] }],
    sources: [{ name: 's', device: 0, model: 0, count: 120, window: 1, weight: 1, availableAt: undefined }],
    carries: () => true,
    policy,
    events: [latency(1.9, 0.1), latency(6.1, 0.01)]
  })
  // Pings go out every half second and are back after a fifth of one: the third that says so went out at 3 s, the first after the change at 6.5 s.
  expect(believed.map(([, value]) => value)).toEqual([0.01, expect.closeTo(0.1, 9), expect.closeTo(0.01, 9)])
  expect(believed[1]![0]).toBeGreaterThan(3.2)
  expect(believed[1]![0]).toBeLessThan(3.4)
  expect(believed[2]![0]).toBeGreaterThan(6.5)
  expect(believed[2]![0]).toBeLessThan(6.7)
})

test('a link that is taken to have become slow is measured again, which takes it for as long as that takes', () => {
  const world = new World()
  for (const name of ['a', 'b']) world.addDevice(deviceId(name))
  world.setLink(0, 1, bytesPerSecond(1e6), seconds(0))
  const link: LearntLink = { from: 0, to: 1, latency: seconds(0), learnt: NOTHING_LEARNT, roundTrip: new RoundTrip() }
  const clock = { now: 0, rate: 1e6 }
  const sent: [number, Bytes][] = []
  const learning = new LinkLearning({
    world,
    now: () => seconds(clock.now),
    answered: (_, answer) => answer(),
    send: (_, size, passed) => {
      sent.push([clock.now, size])
      passed(seconds(size / clock.rate))
    }
  })
  learning.begin(link)
  const believed = (): number => world.link(0, 1)!.rate
  const wait = (halves: number): void => {
    for (let i = 0; i < halves; i++) {
      clock.now += 0.5
      learning.ping(link)
    }
  }
  wait(40)
  expect([believed(), sent]).toEqual([1e6, []]) // however old: it is no slower than it was
  clock.rate = 1e5
  for (let i = 0; i < 20; i++) learning.passed(link, 1e5, seconds(1e5 / clock.rate))
  expect(believed() / 1e5).toBeLessThan(1.1)
  clock.rate = 1e6
  // 80 KiB at 100 kB/s take 0.8 s, which is to be a fiftieth of the link's time at most.
  wait(80)
  expect(sent).toEqual([])
  wait(5)
  expect(sent.map(([, size]) => size)).toEqual([80 * 1024])
  expect(believed() / 1e6).toBeCloseTo(1, 6)
})
