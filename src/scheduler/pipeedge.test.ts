import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRng } from '../core/rng.ts'
import { seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import { expectEachOnce } from '../testing/expect-each-once.ts'
import { largeWorld } from '../testing/large-world.ts'
import { policyOn } from '../testing/policy-on.ts'
import { smallWorld } from '../testing/small-world.ts'
import { taskState } from '../testing/task-state.ts'
import { createPipeEdge } from './pipeedge.ts'
import type { Decision, Step } from './policy.ts'

const now = seconds(0)
const go = (...all: readonly (readonly [device: number, until: number])[]) => ({
  kind: 'go',
  steps: all.map(([device, until]) => ({ device, until }))
})

const stepsOf = (decision: Decision): readonly Step[] => {
  if (decision.kind !== 'go') throw new Error(`no steps: ${JSON.stringify(decision)}`)
  return decision.steps
}

/** Slowest stage and whole time of one pipeline, where all links exist; undefined where a block is not carried. */
const cost = (world: World, stages: readonly Step[]): readonly [slowest: number, total: number] | undefined => {
  const { activations, work } = world.models[0]!
  let [here, at, slowest, total] = [0, 0, 0, 0]
  const send = (to: number): void => {
    if (to === here) return
    const { rate, latency } = world.link(here, to)!
    slowest = Math.max(slowest, activations[at]! / rate)
    total += activations[at]! / rate + latency
    here = to
  }
  for (const { device, until } of stages) {
    send(device)
    let stage = 0
    for (; at < until; at++) {
      if (!world.carries(device, 0, at)) return undefined
      stage += world.blockTime(device, 0, at)
    }
    slowest = Math.max(slowest, stage)
    total += stage
  }
  if (at < work.length) return undefined
  send(0)
  return [slowest, total]
}

/** Every pipeline in which a device comes once. */
function* allPipelines(devices: readonly number[], at: number, blocks: number): Generator<Step[]> {
  if (at === blocks) yield []
  for (const device of devices) {
    const others = devices.filter(n => n !== device)
    for (let until = at + 1; until <= blocks; until++)
      for (const rest of allPipelines(others, until, blocks)) yield [{ device, until }, ...rest]
  }
}

test('the least bottleneck, and then the least time, of all pipelines there are', () => {
  fc.assert(
    fc.property(fc.nat(1e6), fc.constantFrom(0.4, 0.7, 1), (seed, carried) => {
      const rng = createRng(`pipelines ${seed}`)
      const devices = [0, 1, 2, 3]
      const blocks = [0, 1, 2, 3, 4]
      const world = smallWorld({
        speeds: devices.map(() => 0.25 + 2 * rng.next()),
        work: blocks.map(() => 0.1 + rng.next()),
        activations: [...blocks, 5].map(() => 1e6 * rng.next()),
        link: { rate: 1e6, latency: 1e-4 }, // so short that two direct hops are never faster than one
        carried: devices.map(() => blocks.filter(() => rng.next() < carried))
      })
      const all = [...allPipelines(devices, 0, 5)].flatMap(stages => cost(world, stages) ?? [])
      const pairs = all.flatMap((_, i) => (i % 2 === 0 ? [[all[i]!, all[i + 1]!] as const] : []))
      fc.pre(pairs.length > 0)
      const slowest = Math.min(...pairs.map(([s]) => s))
      const total = Math.min(...pairs.filter(([s]) => s <= slowest * (1 + 1e-9)).map(([, t]) => t))
      const chosen = cost(world, stepsOf(policyOn(createPipeEdge(), world).admit(taskState(), now)))!
      expect(chosen[0]).toBeCloseTo(slowest, 9)
      expect(chosen[1]).toBeCloseTo(total, 9)
    }),
    { numRuns: 60, seed: 3 }
  )
})

test('relays to a device that is no neighbour', () => {
  const world = smallWorld({
    speeds: [1, 1, 1],
    work: [1, 1],
    activations: [1, 1, 1],
    pairs: [
      [0, 1],
      [1, 0],
      [1, 2],
      [2, 1]
    ],
    carried: [[0], [], [1]]
  })
  expect(policyOn(createPipeEdge(), world).admit(taskState(), now)).toEqual(go([0, 1], [1, 1], [2, 2]))
})

test('where no pipeline visits each device once, a device comes twice', () => {
  const world = smallWorld({ speeds: [1, 1], work: [1, 1, 1], activations: [1, 1, 1, 1], carried: [[0, 2], [1]] })
  expect(policyOn(createPipeEdge(), world).admit(taskState(), now)).toEqual(go([0, 1], [1, 2], [0, 3]))
})

test('of many devices, those without which a block is missing are considered first', () => {
  // Two devices considered: the slow one alone carries block 1, and the fastest of the rest is taken with it.
  const world = smallWorld({
    speeds: [1, 4, 3, 0.5],
    work: [1, 1],
    activations: [0, 0, 0],
    carried: [[0], [0], [0], [1]]
  })
  expect(policyOn(createPipeEdge({ maxStates: 30 }), world).admit(taskState(), now)).toEqual(go([1, 1], [3, 2]))
})

test('blocks without work are no obstacle', () => {
  const world = smallWorld({ speeds: [1, 1], work: [0, 0], activations: [0, 0, 0], carried: [[0], [1]] })
  expect(policyOn(createPipeEdge(), world).admit(taskState(), now)).toEqual(go([0, 1], [1, 2]))
})

test('waits for the first block out of reach', () => {
  const world = smallWorld({ speeds: [1, 1], work: [1, 1, 1], activations: [1, 1, 1, 1], carried: [[0, 2], [0]] })
  expect(policyOn(createPipeEdge(), world).admit(taskState(), now)).toEqual({ kind: 'wait', block: 1 })
})

test('a lost worker leaves the pipeline at once', () => {
  const world = smallWorld({ speeds: [1, 1], work: [1, 1], activations: [0, 0, 0] })
  const policy = policyOn(createPipeEdge(), world)
  expect(policy.admit(taskState(), now)).toEqual(go([0, 1], [1, 2]))
  world.setUp(1, false)
  expect(policy.admit(taskState(), now)).toEqual(go([0, 2]))
})

test.each([0, 0.1, 0.5, 1])('20 devices and 24 blocks, each carried with probability %f, have an answer', carried => {
  const decision = policyOn(createPipeEdge(), largeWorld(carried)).admit(taskState(), now)
  expect(stepsOf(decision).at(-1)?.until).toBe(24)
})

test('every datum of a random network comes home once', () => expectEachOnce(createPipeEdge()), 60_000)
