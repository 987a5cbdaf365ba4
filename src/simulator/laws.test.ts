import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DROP_RULES, LATE_RULES } from '../core/admission-terms.ts'
import { createArrivals } from '../core/arrivals.ts'
import { createRng } from '../core/rng.ts'
import { bytes, bytesPerSecond, type Seconds, seconds } from '../core/units.ts'
import { POLICIES, POLICY_NAMES, type PolicyName } from '../scheduler/policies.ts'
import { simulate } from './simulate.ts'
import type { SimulatedEvent, SimulationInput } from './simulation-input.ts'

const single = (over: Partial<SimulationInput> = {}): SimulationInput => ({
  devices: [{ name: 'a', speed: 1 }],
  links: [],
  models: [{ name: 'm', work: [seconds(1)], activations: [bytes(0), bytes(0)] }],
  sources: [{ name: 's', device: 0, model: 0, weight: 1, count: 20_000, window: 100_000, availableAt: undefined }],
  carries: () => true,
  policy: POLICIES.local,
  ...over
})

const poisson = (rate: number, seed: string) => createArrivals({ kind: 'poisson', rate }, createRng(seed))

describe('oracles', () => {
  // At 0.8, of every policy: queue-order.test.ts.
  test.each([0.3, 0.6])('a single worker at load %f waits as M/D/1 says', load => {
    const waits = [1, 2].map(seed => {
      const [source] = simulate(
        single({ sources: [{ ...single().sources[0]!, availableAt: poisson(load, `md1-${seed}`) }] })
      ).sources
      return source!.results.reduce((sum, r) => sum + r.completedAt - r.availableAt - 1, 0) / source!.results.length
    })
    const mean = waits.reduce((a, b) => a + b, 0) / waits.length
    const expected = load / (2 * (1 - load)) // Pollaczek and Khinchine, service time 1 without variance
    expect(mean / expected).toBeGreaterThan(0.94)
    expect(mean / expected).toBeLessThan(1.06)
  })

  test('two devices and one link, by hand', () => {
    const { sources, makespan, links } = simulate({
      devices: [
        { name: 'a', speed: 1 },
        { name: 'b', speed: 2 }
      ],
      links: [
        { from: 0, to: 1, rate: bytesPerSecond(100), latency: seconds(0.1) },
        { from: 1, to: 0, rate: bytesPerSecond(50), latency: seconds(0.2) }
      ],
      models: [{ name: 'm', work: [seconds(4)], activations: [bytes(100), bytes(50)] }],
      sources: [{ name: 's', device: 0, model: 0, weight: 1, count: 2, window: 2, availableAt: undefined }],
      carries: device => device === 1,
      policy: POLICIES.ddi
    })
    // Datum 0: sent 0..1, there 1.1, ran ..3.1, sent ..4.1, back 4.3. Datum 1: sent 1..2, runs 3.1..5.1, back 6.3.
    expect(sources[0]!.results.map(r => r.completedAt)).toEqual([expect.closeTo(4.3, 9), expect.closeTo(6.3, 9)])
    expect(makespan).toBeCloseTo(6.3, 9)
    expect(links.map(l => l.bytes)).toEqual([200, 100])
  })
})

/** A random network: ring, so that everybody can be reached also over relays. */
const randomNetwork = (seed: number, policy: PolicyName): SimulationInput => {
  const rng = createRng(`laws-${seed}`)
  const n = 3 + Math.floor(rng.next() * 3)
  const blocks = 2 + Math.floor(rng.next() * 5)
  const work = Array.from({ length: blocks }, () => seconds(0.01 + 0.05 * rng.next()))
  const full = policy === 'local' || policy === 'ddi'
  const holds = Array.from({ length: n }, (_, d) =>
    Array.from({ length: blocks }, (_, k) => full || k % n === d || rng.next() < 0.5)
  )
  return {
    devices: Array.from({ length: n }, (_, d) => ({ name: `d${d}`, speed: 0.3 + 1.7 * rng.next() })),
    links: Array.from({ length: n }, (_, d) => [
      { from: d, to: (d + 1) % n, rate: bytesPerSecond(1e6 + 1e7 * rng.next()), latency: seconds(0.002) },
      { from: (d + 1) % n, to: d, rate: bytesPerSecond(1e6 + 1e7 * rng.next()), latency: seconds(0.002) }
    ]).flat(),
    models: [{ name: 'm', work, activations: Array.from({ length: blocks + 1 }, () => bytes(1e4 + 2e5 * rng.next())) }],
    sources: [0, 1].map(device => ({
      name: `s${device}`,
      device,
      model: 0,
      weight: 1 + device,
      count: 25,
      window: 6,
      availableAt: device === 0 ? undefined : poisson(20, `laws-${seed}`)
    })),
    carries: (d, _, k) => holds[d]![k]!,
    policy: POLICIES[policy]
  }
}

const terms = fc.record({
  deadline: fc.double({ min: 0.05, max: 2, noNaN: true }).map(seconds),
  late: fc.constantFrom(...LATE_RULES),
  drop: fc.constantFrom(...DROP_RULES),
  queue: fc.integer({ min: 1, max: 4 }),
  rate: fc.constantFrom(5, Number.POSITIVE_INFINITY)
})

const busiest = ({ devices, links }: ReturnType<typeof simulate>): number =>
  Math.max(...devices.map(d => d.busy), ...links.map(l => l.busy))

describe.each(POLICY_NAMES)('laws, %s', policy => {
  test('every admitted datum comes home once; nothing is busy for longer than the run', () => {
    fc.assert(
      fc.property(fc.nat(1e6), seed => {
        const output = simulate(randomNetwork(seed, policy))
        for (const source of output.sources) {
          expect(source.stuck).toBeUndefined()
          expect([source.admitted, source.completed]).toEqual([25, 25])
          expect(new Set(source.results.map(r => r.datum)).size).toBe(25)
        }
        // A block may still run, or a frame travel, when the last result is home; none does here: all is home.
        expect(busiest(output)).toBeLessThanOrEqual(output.makespan + 1e-9)
      }),
      { numRuns: 25, seed: 7 }
    )
  })

  test('what comes has a result or is dropped by its rule, once, also where devices go and come back', () => {
    fc.assert(
      fc.property(fc.nat(1e6), terms, fc.boolean(), (seed, agreed, isKilled) => {
        const network = randomNetwork(seed, policy)
        const sources = network.sources.map(source => ({ ...source, window: 2, terms: agreed }))
        const events: SimulatedEvent[] = [
          { at: seconds(0.3), kind: 'leaves', device: 0, how: 'kill' },
          { at: seconds(1), kind: 'joins', device: 0 }
        ]
        const output = simulate({ ...network, sources, ...(isKilled ? { events } : {}) })
        for (const source of output.sources) {
          expect(source.stuck).toBeUndefined()
          expect(source.admitted).toBe(25)
          expect(source.completed + source.dropped).toBe(25)
          expect(new Set(source.results.map(r => r.datum)).size).toBe(source.completed)
          if (agreed.late === 'finish') continue
          for (const r of source.results) expect(r.completedAt - r.availableAt).toBeLessThan(agreed.deadline)
        }
      }),
      { numRuns: 25, seed: 7 }
    )
  })

  test('twice as fast everywhere takes half as long', () => {
    fc.assert(
      fc.property(fc.nat(1e6), seed => {
        const slow = { ...randomNetwork(seed, policy), policy: scaledReports(policy, 1) }
        const fast: SimulationInput = {
          ...slow,
          devices: slow.devices.map(d => ({ ...d, speed: 2 * d.speed })),
          links: slow.links.map(l => ({ ...l, rate: bytesPerSecond(2 * l.rate), latency: seconds(l.latency / 2) })),
          sources: slow.sources.map(s => ({
            ...s,
            availableAt: s.availableAt && ((datum: number): Seconds => seconds(s.availableAt!(datum) / 2))
          })),
          policy: scaledReports(policy, 2)
        }
        expect(simulate(slow).makespan / simulate(fast).makespan).toBeCloseTo(2, 6)
      }),
      { numRuns: 8, seed: 7 }
    )
  })

  test('devices that are killed, stop and come back lose nothing', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.boolean(), (seed, kill) => {
        const network = randomNetwork(seed, policy)
        const last = network.devices.length - 1
        const events: SimulatedEvent[] = [
          { at: seconds(0.2), kind: 'leaves', device: last, how: kill ? 'kill' : 'stop' },
          { at: seconds(0.4), kind: 'speed', device: 1, speed: 0.2 },
          { at: seconds(2), kind: 'joins', device: last },
          { at: seconds(2.2), kind: 'leaves', device: 0, how: 'kill' },
          { at: seconds(4), kind: 'joins', device: 0 }
        ]
        const { sources } = simulate({ ...network, events })
        for (const source of sources) {
          expect(source.stuck).toBeUndefined()
          expect(new Set(source.results.map(r => r.datum)).size).toBe(25)
          expect(source.results.length).toBe(25)
        }
      }),
      { numRuns: 25, seed: 7 }
    )
  })
})

/** Reports come on the clock; scaled with everything else, the law of scaling is exact. */
const scaledReports =
  (policy: PolicyName, speed: number): SimulationInput['policy'] =>
  host => {
    const made = POLICIES[policy](host)
    return { ...made, reportInterval: () => seconds(made.reportInterval() / speed) }
  }
