import type { PathQuery } from './path-query.ts'
import { blocksOf } from './progress.ts'
import { runPrice } from './run-price.ts'

/**
 * What is left of a datum's way costs at least, for every device and every number of blocks done: the next block runs where the
 * datum is, or the datum leaves once, over no faster link than the device has and to no better place than there is. Where
 * all are linked to all, that leaves few devices for a search to look at. O(K n).
 *
 *   left(n, k)  = min(run(n, k) + left(n, k + 1), leave(n, k))
 *   leave(n, k) = least over m of: hop at least(n, m) + run(m, k) + left(m, k + 1)
 *
 * with a hop's cost bounded by the fastest link from n, and by the fastest to m, whichever says more. One table, kept from search to search.
 */
export class LeastLeft {
  /** Of a block at a device, in seconds, at [block * devices + device]; Infinity where it may not run. */
  times = new Float64Array(0)
  /** At [done * devices + device], like the next. */
  left = new Float64Array(0)
  leave = new Float64Array(0)
  /** Of a second of a block at a device. */
  #price = new Float64Array(0)
  /** Least seconds a byte. */
  #from = new Float64Array(0)
  #to = new Float64Array(0)

  of(query: PathQuery): void {
    const { world, model, home, done } = query
    this.#makeRoom(world.devices.length, blocksOf(world, model))
    world.runTimes(model, home, this.times)
    if (query.takes !== undefined) this.#takeShares(query, query.takes)
    for (const n of world.devices.keys()) {
      this.#price[n] = runPrice(query, n)
      this.#from[n] = perByte(world.fastestFrom[n]!)
      this.#to[n] = perByte(world.fastestTo[n]!)
    }
    this.#atTheEnd(query)
    for (let k = blocksOf(world, model) - 1; k >= done; k--) this.#before(query, k)
  }

  /** Of running a block, its time apart from what it costs besides; Infinity where it may not run. */
  runs(query: PathQuery, device: number, k: number): number {
    const time = this.times[k * query.world.devices.length + device]!
    if (time === Number.POSITIVE_INFINITY) return time
    return this.#price[device]! * time + (query.blockPrice?.(device, k) ?? 0)
  }

  #takeShares({ world, model, done }: PathQuery, takes: NonNullable<PathQuery['takes']>): void {
    const devices = world.devices.length
    for (let k = done; k < blocksOf(world, model); k++)
      for (let n = 0, at = k * devices; n < devices; n++, at++)
        if (this.times[at] !== Number.POSITIVE_INFINITY) this.times[at] = takes(n, k)
  }

  #makeRoom(devices: number, blocks: number): void {
    if (this.#price.length < devices) {
      this.#price = new Float64Array(devices)
      this.#from = new Float64Array(devices)
      this.#to = new Float64Array(devices)
    }
    const states = devices * (blocks + 1)
    if (this.left.length >= states) return
    this.times = new Float64Array(states)
    this.left = new Float64Array(states)
    this.leave = new Float64Array(states)
  }

  #atTheEnd(query: PathQuery): void {
    const { world, model, home } = query
    const blocks = blocksOf(world, model)
    const last = blocks * world.devices.length
    const [perSecond, latency] = hop(query, blocks)
    for (let n = 0; n < world.devices.length; n++) {
      const travels = latency + perSecond * Math.max(this.#from[n]!, this.#to[home]!)
      this.left[last + n] = n === home ? 0 : travels
      this.leave[last + n] = n === home ? Number.POSITIVE_INFINITY : travels
    }
  }

  #before(query: PathQuery, k: number): void {
    const { blockPrice } = query
    const devices = query.world.devices.length
    const layer = k * devices
    const [perSecond, latency] = hop(query, k)
    let least = Number.POSITIVE_INFINITY
    let leastThere = Number.POSITIVE_INFINITY
    for (let n = 0; n < devices; n++) {
      const time = this.times[layer + n]!
      const here =
        time === Number.POSITIVE_INFINITY
          ? time
          : this.#price[n]! * time + (blockPrice === undefined ? 0 : blockPrice(n, k)) + this.left[layer + devices + n]!
      this.left[layer + n] = here
      if (here < least) least = here
      const there = here + perSecond * this.#to[n]!
      if (there < leastThere) leastThere = there
    }
    for (let n = 0; n < devices; n++) {
      const leaves = latency + Math.max(leastThere, least + perSecond * this.#from[n]!)
      this.leave[layer + n] = leaves
      if (leaves < this.left[layer + n]!) this.left[layer + n] = leaves
    }
  }
}

/** Finite also where there is no link, so that at no price it comes to nothing. */
const perByte = (fastest: number): number => (fastest === 0 ? Number.MAX_VALUE : 1 / fastest)

/** The least price of what crosses with so many blocks done, for a second a byte, and of the delay. */
const hop = ({ world, model, leastPrice = 0, latencyPrice }: PathQuery, k: number): readonly [number, number] => [
  leastPrice * world.models[model]!.activations[k]!,
  latencyPrice === 0 ? 0 : latencyPrice * world.leastLatency
]
