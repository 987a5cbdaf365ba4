import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { smallWorld } from '../testing/small-world.ts'
import { cheapestPath, type Path } from './cheapest-path.ts'
import { remainingTimes } from './remaining-times.ts'
import { seconds } from './units.ts'
import type { World } from './world.ts'

const query = (world: World, price: (resource: number) => number, from = 0, home = 0) =>
  cheapestPath({ world, model: 0, from, done: 0, home, price, latencyPrice: seconds(1) })

/** Least cost by trying every assignment of blocks to devices, with direct links only. */
const costByForce = (world: World, price: (resource: number) => number, home: number): number => {
  const { work, activations } = world.models[0]!
  const travel = (from: number, to: number, k: number): number => {
    if (from === to) return 0
    const link = world.link(from, to)
    return link === undefined ? Infinity : (price(link.resource) * activations[k]!) / link.rate + link.latency
  }
  const finish = (at: number, k: number): number => {
    if (k === work.length) return travel(at, home, k)
    const options = world.devices.map((device, n) =>
      world.carries(n, 0, k)
        ? travel(at, n, k) + price(device.resource) * world.blockTime(n, 0, k) + finish(n, k + 1)
        : Infinity
    )
    return Math.min(...options)
  }
  return finish(home, 0)
}

describe('cheapestPath', () => {
  test('an idle network of equal devices computes where the datum is', () => {
    const world = smallWorld({ speeds: [1, 1], work: [1, 1], activations: [1e6, 1e6, 1e6] })
    const path = query(world, () => 1) as Path
    expect(path.steps).toEqual([{ device: 0, until: 2 }])
    expect(path.cost).toBe(2)
  })

  test('a slow source hands over where the activation is smallest, and the result comes home', () => {
    const world = smallWorld({ speeds: [0.1, 1], work: [0.1, 10], activations: [50e6, 1e3, 1e3] })
    const path = query(world, () => 1) as Path
    expect(path.steps).toEqual([
      { device: 0, until: 1 },
      { device: 1, until: 2 },
      { device: 0, until: 2 }
    ])
    expect(path.uses.map(use => [use.from, use.to])).toEqual([
      [0, 0],
      [0, 1],
      [1, 1],
      [1, 0]
    ])
  })

  test('who came for one job is no relay, though it computes what it has and its own data leave it and come back', () => {
    const world = smallWorld({
      ...{ speeds: [1, 1, 1], work: [1], activations: [1e3, 1e3], carried: [[], [], [0]] },
      pairs: [
        [0, 1],
        [1, 2],
        [2, 1],
        [1, 0]
      ]
    })
    world.setRelays(1, false)
    expect(query(world, () => 1)).toEqual({ stuckAt: 0 })
    expect((query(world, () => 1, 1, 1) as Path).steps.map(({ device }) => device)).toEqual([2, 1])
    const remaining = (home: number) => [0, 1, 2].map(n => remainingTimes(world, 0, home)(n, 0))
    expect(remaining(1).map(Number.isFinite)).toEqual([false, true, true])
    expect(remaining(0).map(Number.isFinite)).toEqual([false, false, false])
    world.setCarried(1, 0, 0, true)
    expect((query(world, () => 1) as Path).steps.map(({ device }) => device)).toEqual([1, 0])
    expect(remaining(0).map(Number.isFinite)).toEqual([true, true, true])
  })

  test('a relay that computes nothing is a step that only passes through', () => {
    const world = smallWorld({
      speeds: [1, 1, 1],
      work: [1],
      activations: [1e3, 1e3],
      pairs: [
        [0, 1],
        [1, 2],
        [2, 1],
        [1, 0]
      ],
      carried: [[], [], [0]]
    })
    const path = query(world, () => 1) as Path
    expect(path.steps).toEqual([
      { device: 1, until: 0 },
      { device: 2, until: 1 },
      { device: 1, until: 1 },
      { device: 0, until: 1 }
    ])
  })

  test('a block that nobody carries is named', () => {
    const world = smallWorld({ speeds: [1, 1], work: [1, 1, 1], activations: [1, 1, 1, 1], carried: [[0], [0, 2]] })
    expect(query(world, () => 1)).toEqual({ stuckAt: 1 })
  })

  test('finds the same cost as trying everything, on full networks where direct links are the shortest', () => {
    const costs = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 3, maxLength: 3 })
    fc.assert(
      fc.property(
        costs,
        costs,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 4, maxLength: 4 }),
        (speeds, work, sizes) => {
          const world = smallWorld({
            speeds,
            work,
            activations: sizes.map(s => s * 1e6),
            link: { rate: 1e6, latency: 0.5 },
            carried: [
              [0, 1],
              [1, 2],
              [0, 1, 2]
            ]
          })
          // One price for all links: then no relay is cheaper than the direct link.
          const price = (resource: number): number => (resource < 3 ? 1 + resource : 2)
          const found = query(world, price) as Path
          expect(found.cost).toBeCloseTo(costByForce(world, price, 0), 9)
        }
      )
    )
  })

  test('uses add up to the cost at price one', () => {
    const world = smallWorld({
      speeds: [0.5, 2],
      work: [1, 2],
      activations: [1e5, 2e5, 1e5],
      link: { rate: 1e6, latency: 0 }
    })
    const path = query(world, () => 1) as Path
    expect(path.uses.reduce((sum, use) => sum + use.seconds, 0)).toBeCloseTo(path.cost, 12)
  })
})
