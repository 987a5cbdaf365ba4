import { expect, test } from 'vitest'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { POLICIES, POLICY_NAMES } from '../scheduler/policies.ts'
import { simulate } from './simulate.ts'
import type { SimulationInput } from './simulation-input.ts'

/** Of three devices; the last has none and takes work / speed. Block 1 is fast on device 1 and slow on device 0. */
const TIMES = [
  [0.02, 0.09, 0.03],
  [0.01, 0.01, 0.06]
].map(times => times.map(seconds))
const WORK = [0.03, 0.04, 0.05].map(seconds)
const SPEEDS = [1, 0.5, 2]

interface Ran {
  readonly source: number
  readonly device: number
  readonly block: number
  readonly start: number
  readonly took: number
}

const run = (over: Partial<SimulationInput> & { readonly pinned?: boolean }) => {
  const { pinned = false, ...rest } = over
  const ran: Ran[] = []
  const output = simulate({
    devices: SPEEDS.map((speed, n) => ({ name: `d${n}`, speed })),
    links: [0, 1, 2].flatMap(from =>
      [0, 1, 2].flatMap(to =>
        from === to ? [] : [{ from, to, rate: bytesPerSecond(12.5e6), latency: seconds(0.001) }]
      )
    ),
    models: [{ name: 'm', work: WORK, times: TIMES, pinned, activations: [200e3, 20e3, 20e3, 1e3].map(bytes) }],
    sources: [0, 1].map(device => ({
      ...{ name: `s${device}`, device, model: 0, weight: 1, count: 60, window: 8, availableAt: undefined }
    })),
    carries: () => true,
    policy: POLICIES.confluence,
    observe: {
      ran: ({ source, device, block, start, end }) => ran.push({ source, device, block, start, took: end - start }),
      sent: () => {}
    },
    ...rest
  })
  return { output, ran }
}

const timeOf = ({ device, block }: Ran): number => TIMES[device]?.[block] ?? WORK[block]! / SPEEDS[device]!

test.each(POLICY_NAMES)(
  '%s: blocks take what they were measured to take, or work / speed where they were not',
  name => {
    const { output, ran } = run({ policy: POLICIES[name] })
    for (const { completed } of output.sources) expect(completed).toBe(60)
    for (const task of ran) expect(task.took).toBeCloseTo(timeOf(task), 9)
  }
)

test.each(POLICY_NAMES)('%s: a pinned first block runs on the device of its source and nowhere else', name => {
  const { output, ran } = run({ policy: POLICIES[name], pinned: true })
  for (const { completed } of output.sources) expect(completed).toBe(60)
  const first = ran.filter(({ block }) => block === 0)
  expect(first).toHaveLength(120)
  for (const { source, device } of first) expect(device).toBe(source)
  if (name !== 'local') expect(ran.some(({ source, device, block }) => block > 0 && device !== source)).toBe(true)
})

test.each(POLICY_NAMES)('%s: where only another device carries the pinned block, data wait, and it is said', name => {
  const { output, ran } = run({ policy: POLICIES[name], pinned: true, carries: (n, _, k) => k > 0 || n === 1 })
  expect(output.sources[0]).toMatchObject({ completed: 0, stuck: expect.stringMatching(/block 0|carries 2/) })
  expect(ran.some(({ source, block }) => source === 0 && block === 0)).toBe(false)
})

test("times change with a device's speed", () => {
  const slower = { at: seconds(0), kind: 'speed' as const, device: 1, speed: 0.125 }
  const { ran } = run({ events: [slower], policy: POLICIES.local })
  // What had begun by then keeps its time.
  for (const task of ran.filter(({ start }) => start > 0))
    expect(task.took).toBeCloseTo(timeOf(task) * (task.device === 1 ? 4 : 1), 9)
})

test('a policy that follows costs follows measured ones: block 1 runs where it is fast', () => {
  const { ran } = run({ policy: POLICIES['ms-mdi'] })
  const block1 = ran.filter(({ block }) => block === 1)
  expect(block1.filter(({ device }) => device === 0).length).toBeLessThan(block1.length / 10)
})
