import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { smallWorld } from '../testing/small-world.ts'
import { cheapestPath, type Path } from './cheapest-path.ts'
import { remainingTimes } from './remaining-times.ts'
import { createRng, type Rng } from './rng.ts'
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

  test.each([
    [150, 4, 0.8],
    [40, 39, 1],
    [40, 39, 0.8],
    [60, 20, 0.3]
  ])(
    'of %i devices with %i links each, with %d of the blocks, it looks where the path can lie, and finds what a look everywhere finds',
    (devices, degree, carried) => {
      for (let seed = 0; seed < 20; seed++) {
        const rng = createRng(`paths ${seed}`)
        const world = randomWorld(rng, devices, degree, carried)
        const busy = Array.from({ length: world.resources }, () => (rng.next() < 0.5 ? 0 : 0.3 * rng.next()))
        const price = (resource: number): number => (1 + busy[resource]!) ** 3
        const found = cheapestPath({
          ...{ world, model: 0, from: 0, done: 0, home: 0, price },
          ...{ latencyPrice: seconds(1), leastPrice: 1 }
        }) as Path
        expect(found.cost).toBeCloseTo(costEverywhere(world, price), 9)
      }
    }
  )

  test('where most links cost nothing it finds what a look everywhere finds', () => {
    for (let seed = 0; seed < 20; seed++) {
      const rng = createRng(`free links ${seed}`)
      const world = randomWorld(rng, 40, 39, 0.5)
      const prices = Array.from({ length: world.resources }, (_, r) => (r < 40 ? rng.next() : rng.next() < 0.9 ? 0 : 1))
      const price = (resource: number): number => prices[resource]!
      const found = cheapestPath({
        ...{ world, model: 0, from: 0, done: 0, home: 0, price },
        ...{ latencyPrice: seconds(0), leastPrice: 0 }
      }) as Path
      expect(found.cost).toBeCloseTo(costEverywhere(world, price, 0), 9)
    }
  })

  test('with slack it finds a path that costs by no more than that more, in a world of each kind', () => {
    for (let seed = 0; seed < 20; seed++) {
      const rng = createRng(`slack ${seed}`)
      const world = seed % 2 === 0 ? randomWorld(rng, 40, 39, 0.5) : randomWorld(rng, 60, 6, 0.8)
      const prices = Array.from({ length: world.resources }, () => 1 + 5 * rng.next())
      const price = (resource: number): number => prices[resource]!
      const found = cheapestPath({
        ...{ world, model: 0, from: 0, done: 0, home: 0, price },
        ...{ latencyPrice: seconds(1), leastPrice: 1, slack: 0.1 }
      }) as Path
      const least = costEverywhere(world, price)
      expect(found.cost).toBeGreaterThanOrEqual(least * (1 - 1e-9))
      expect(found.cost).toBeLessThanOrEqual(least * 1.1 * (1 + 1e-9))
    }
  })

  test('where waiting costs something, what is known of prices makes the path hardly dearer', () => {
    for (let seed = 0; seed < 20; seed++) {
      const rng = createRng(`waiting ${seed}`)
      const world = randomWorld(rng, 60, 59, 1)
      const until = Array.from({ length: world.resources }, () => (rng.next() < 0.5 ? 0 : 0.1 * rng.next()))
      const whole = {
        ...{ world, model: 0, from: 0, done: 0, home: 0, price: (r: number) => 1 + until[r]! },
        ...{ latencyPrice: seconds(1), leastPrice: 1 },
        waiting: { until: (r: number) => until[r]!, price: seconds(0.3) }
      }
      const found = cheapestPath(whole) as Path
      const exhaustive = cheapestPath({ ...whole, leastPrice: 0 }) as Path
      expect(found.cost).toBeLessThanOrEqual(exhaustive.cost * 1.01)
    }
  })
})

/** Each device and its next ones; such a share of the blocks is carried. */
const randomWorld = (rng: Rng, devices: number, degree: number, share: number): World => {
  const nearby = (a: number, b: number): boolean =>
    a !== b && Math.min((a - b + devices) % devices, (b - a + devices) % devices) <= degree / 2
  const all = Array.from({ length: devices }, (_, n) => n)
  return smallWorld({
    speeds: all.map(() => 0.25 + 1.75 * rng.next()),
    lanes: all.map(n => (rng.fork(`has lanes ${n}`).next() < 0.5 ? 1 : 4)),
    work: Array.from({ length: 8 }, () => 0.002 + 0.01 * rng.next()),
    activations: Array.from({ length: 9 }, () => 1e4 + 1e5 * rng.next()),
    pairs: all.flatMap(a =>
      all.filter(b => (degree >= devices - 1 ? a !== b : nearby(a, b))).map(b => [a, b] as const)
    ),
    carried: all.map(() => [0, 1, 2, 3, 4, 5, 6, 7].filter(() => rng.next() < share))
  })
}

/** Bellman and Ford, layer by layer: from every device over every link, until nothing gets cheaper. */
const costEverywhere = (world: World, price: (resource: number) => number, latencyPrice = 1): number => {
  const { work, activations } = world.models[0]!
  let costs = world.devices.map((_, n) => (n === 0 ? 0 : Number.POSITIVE_INFINITY))
  for (let k = 0; ; k++) {
    for (let isCheaper = true; isCheaper; ) {
      isCheaper = false
      for (const { from, to, rate, latency, resource } of world.links.flat()) {
        const cost = costs[from]! + (price(resource) * activations[k]!) / rate + latencyPrice * latency
        if (cost >= costs[to]!) continue
        costs[to] = cost
        isCheaper = true
      }
    }
    if (k === work.length) return costs[0]!
    costs = costs.map((cost, n) => {
      if (!world.carries(n, 0, k)) return Number.POSITIVE_INFINITY
      const { resource, lanes } = world.devices[n]!
      const time = world.blockTime(n, 0, k)
      return cost + (price(resource) * time) / lanes + latencyPrice * (time - time / lanes)
    })
  }
}
