import { expect, test } from 'vitest'
import { smallWorld } from '../testing/small-world.ts'
import { cheapestPath } from './cheapest-path.ts'
import { costOfDetour } from './cost-of-detour.ts'
import { LeastLeft } from './least-left.ts'
import { createRng } from './rng.ts'
import { bytesPerSecond, seconds } from './units.ts'

const BLOCKS = 6

/** A full network of devices that differ, links too, with some of the blocks, and a query in it. */
const randomQuery = (seed: number) => {
  const rng = createRng(`left ${seed}`)
  const devices = Array.from({ length: 12 }, (_, n) => n)
  const world = smallWorld({
    speeds: devices.map(() => 0.25 + 2 * rng.next()),
    lanes: devices.map(n => 1 + Math.floor(4 * rng.fork(`lanes ${n}`).next())),
    work: Array.from({ length: BLOCKS }, () => 0.01 + 0.1 * rng.next()),
    activations: Array.from({ length: BLOCKS + 1 }, () => 1e4 + 1e6 * rng.next()),
    carried: devices.map(() => [0, 1, 2, 3, 4, 5].filter(() => rng.next() < 0.7))
  })
  for (const { from, to } of world.links.flat())
    world.setLink(from, to, bytesPerSecond(1e6 + 1e7 * rng.next()), seconds(0.01 * rng.next()))
  const prices = Array.from({ length: world.resources }, () => 1 + 3 * rng.next())
  const price = (resource: number): number => prices[resource]!
  return { world, model: 0, from: 0, done: 0, home: 0, price, latencyPrice: seconds(1), leastPrice: 1 }
}

test('nowhere is less left than it says, and no detour is cheaper than the cheapest path', () => {
  let bounded = 0
  for (let seed = 0; seed < 30; seed++) {
    const query = randomQuery(seed)
    const known = new LeastLeft()
    known.of(query)
    for (const from of query.world.devices.keys()) {
      for (let done = 0; done <= BLOCKS; done++) {
        const path = cheapestPath({ ...query, from, done })
        if ('stuckAt' in path) continue
        const atLeast = known.left[done * query.world.devices.length + from]!
        expect(atLeast).toBeLessThanOrEqual(path.cost * (1 + 1e-9))
        expect(costOfDetour({ ...query, from, done }, known)).toBeGreaterThanOrEqual(path.cost * (1 - 1e-9))
        if (atLeast > 0.5 * path.cost) bounded++
      }
    }
  }
  expect(bounded).toBeGreaterThan(1000) // a bound of nothing would be true, too
})
