import fc from 'fast-check'
import { expect, test } from 'vitest'
import { smallWorld } from '../testing/small-world.ts'
import { bestPipeline, type PipelineQuery } from './best-pipeline.ts'
import { createRng, type Rng } from './rng.ts'
import type { Step } from './step.ts'
import { bytesPerSecond, seconds } from './units.ts'
import type { World } from './world.ts'

/** Every pipeline in which a device comes once. */
function* allPipelines(devices: readonly number[], at: number, blocks: number): Generator<Step[]> {
  if (at === blocks) yield []
  for (const device of devices) {
    const others = devices.filter(n => n !== device)
    for (let until = at + 1; until <= blocks; until++)
      for (const rest of allPipelines(others, until, blocks)) yield [{ device, until }, ...rest]
  }
}

/** Slowest stage or transfer, over direct links; Infinity where a device may not take a block, or has no room for its run. */
const bottleneck = ({ world, home, room }: PipelineQuery, stages: readonly Step[]): number => {
  let [here, at, slowest] = [home, 0, 0]
  const send = (to: number): void => {
    if (to !== here) slowest = Math.max(slowest, world.models[0]!.activations[at]! / world.link(here, to)!.rate)
    here = to
  }
  for (const { device, until } of stages) {
    send(device)
    let [stage, left] = [0, room?.left(device) ?? Number.POSITIVE_INFINITY]
    for (; at < until; at++) {
      if (!world.mayRun(device, 0, at, home)) return Number.POSITIVE_INFINITY
      stage += world.blockTime(device, 0, at)
      left -= room?.needs(device, at) ?? 0
    }
    if (left < 0) return Number.POSITIVE_INFINITY
    slowest = Math.max(slowest, stage)
  }
  send(home)
  return slowest
}

/** Devices of two types: equal times, and links as fast as the slower type's. Direct hops are never slower than two. */
const typedWorld = (rng: Rng, types: readonly number[], blocks: number, pinned: boolean): World => {
  const speeds = [0.5 + rng.next(), 0.5 + rng.next()]
  const rates = [2e5 + 2e6 * rng.next(), 2e5 + 2e6 * rng.next()]
  const world = smallWorld({
    speeds: types.map(type => speeds[type]!),
    work: Array.from({ length: blocks }, () => 0.1 + rng.next()),
    activations: Array.from({ length: blocks + 1 }, () => 1e6 * rng.next()),
    pinned
  })
  for (const a of types.keys())
    for (const b of types.keys())
      if (a !== b) world.setLink(a, b, bytesPerSecond(Math.min(rates[types[a]!]!, rates[types[b]!]!)), seconds(1e-4))
  return world
}

test('equal devices are only counted, and nothing is lost by it: the best of all pipelines there are', () => {
  fc.assert(
    fc.property(
      fc.nat(1e6),
      fc.array(fc.constantFrom(0, 1), { minLength: 2, maxLength: 5 }),
      fc.integer({ min: 0, max: 1 }),
      fc.boolean(),
      (seed, types, home, pinned) => {
        const world = typedWorld(createRng(`typed ${seed}`), types, 5, pinned)
        const query = { world, model: 0, from: home, done: 0, home }
        const all = [...allPipelines([...types.keys()], 0, 5)].map(stages => bottleneck(query, stages))
        const found = bestPipeline(query)!
        expect(found.bottleneck).toBeCloseTo(Math.min(...all), 9)
        expect(bottleneck(query, found.stages)).toBeCloseTo(found.bottleneck, 9)
        expect(new Set(found.stages.map(({ device }) => device)).size).toBe(found.stages.length)
      }
    ),
    { numRuns: 60, seed: 4 }
  )
})

test('devices of one type with other memory, other blocks or another link are not equal', () => {
  fc.assert(
    fc.property(fc.nat(1e6), seed => {
      const rng = createRng(`rooms ${seed}`)
      const world = typedWorld(rng, [0, 0, 0, 0], 5, false)
      world.setLink(2, 3, bytesPerSecond(1e6 * rng.next()), seconds(1e-4))
      if (rng.next() < 0.5) world.setCarried(1, 0, 3, false)
      const sizes = [1, 2, 3, 1, 2]
      const left = [3, 4, 4, rng.next() < 0.5 ? 4 : 6]
      const room = { left: (n: number) => left[n]!, needs: (_: number, k: number) => sizes[k]! }
      const query = { world, model: 0, from: 0, done: 0, home: 0, room }
      const all = [...allPipelines([0, 1, 2, 3], 0, 5)].map(stages => bottleneck(query, stages))
      const least = Math.min(...all)
      const found = bestPipeline(query)
      if (least === Number.POSITIVE_INFINITY) return expect(found).toBeUndefined()
      expect(found!.bottleneck).toBeCloseTo(least, 9)
      expect(bottleneck(query, found!.stages)).toBeCloseTo(least, 9)
    }),
    { numRuns: 60, seed: 5 }
  )
})

/** The least largest sum of `parts` runs of the list. */
const evenest = (list: readonly number[], parts: number): number => {
  const sums = [0]
  for (const x of list) sums.push(sums.at(-1)! + x)
  let least = sums.slice(1)
  for (let p = 1; p < parts; p++)
    least = least.map((_, i) =>
      Math.min(
        ...Array.from({ length: i + 1 }, (_, j) => Math.max(j === 0 ? 0 : least[j - 1]!, sums[i + 1]! - sums[j]!))
      )
    )
  return least.at(-1)!
}

test('96 layers on 16 equal boards, and 273 on four unequal ones', () => {
  const rng = createRng('boards')
  const work = Array.from({ length: 96 }, () => 0.05 + rng.next())
  const boards = smallWorld({ speeds: new Array<number>(16).fill(1), work, activations: new Array(97).fill(1) })
  expect(bestPipeline({ world: boards, model: 0, from: 0, done: 0, home: 0 })!.bottleneck).toBeCloseTo(
    evenest(work, 16),
    9
  )
  const units = Array.from({ length: 273 }, () => rng.next())
  const four = smallWorld({ speeds: [1, 0.33, 0.21, 0.21], work: units, activations: new Array(274).fill(1) })
  const { bottleneck: slowest } = bestPipeline({ world: four, model: 0, from: 0, done: 0, home: 0 })!
  const ideal = units.reduce((a, b) => a + b, 0) / 1.75
  expect(slowest).toBeGreaterThan(ideal)
  expect(slowest).toBeLessThan(1.01 * ideal + Math.max(...units) / 0.21 / 2)
})

test('where the table has no room for all devices, those nearly equal are counted together, then the fastest are taken', () => {
  const speeds = Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? 1 : 0.5) * (1 + 0.0005 * i))
  const work = Array.from({ length: 48 }, () => 0.1)
  const world = smallWorld({ speeds, work, activations: new Array(49).fill(1) })
  const found = bestPipeline({ world, model: 0, from: 0, done: 0, home: 0 })!
  expect(found.stages.length).toBe(24) // 2 to the 24 sets of devices
  const few = bestPipeline({ world, model: 0, from: 0, done: 0, home: 0, maxStates: 400 })!
  expect(few.bottleneck).toBeGreaterThan(found.bottleneck)
  expect(few.stages.every(({ device }) => device % 2 === 0)).toBe(true)
})

test.each([16, 24, 40])('%i equal devices are all considered, in a table of a few thousand states', devices => {
  const world = smallWorld({
    speeds: Array.from({ length: devices }, () => 1),
    work: Array.from({ length: devices }, () => 0.1),
    activations: Array.from({ length: devices + 1 }, () => 1e3)
  })
  const found = bestPipeline({ world, model: 0, from: 0, done: 0, home: 0, maxStates: 2 ** 13 })!
  expect(found.bottleneck).toBeCloseTo(0.1, 12)
  expect(found.stages).toHaveLength(devices)
})
