import { type Seconds, seconds } from '../../core/units.ts'
import type { World } from '../../core/world.ts'

/**
 * A block's time follows the median of its last three runs: one slow run must not send everybody elsewhere, three are no
 * accident. The weight of the newest median.
 */
const LEARNING_RATE = 0.25
const RUNS = 3
/** A device has another speed when its runs of so long, three at least, all took so many times what they used to. */
const STREAK: Seconds = seconds(0.5)
const FACTOR = 1.2
/** A device that nobody sends anything for so long is believed to be as fast as it ever was: while it is not tried it cannot be known. */
const FIRST_PATIENCE: Seconds = seconds(10)
/** Where it was as slow as before each time, it is tried less and less often. */
const LONGEST_PATIENCE: Seconds = seconds(640)

interface Block {
  /** Its last runs, newest last, as they would have been at the present speed. */
  took: number[]
  /** Runs on end that took about what was believed. */
  settled: number
  /** The shortest that was ever believed. */
  least: number
}

/** What was believed of blocks, by model and number, before it was given up. */
interface Forgotten {
  readonly m: number
  readonly k: number
  readonly believed: number
}

/** Runs one after the other that all took much longer, or all much less, than they used to. */
interface Streak {
  readonly slower: boolean
  readonly since: Seconds
  readonly ratios: number[]
  /** What was believed when it began, and the runs since, by block. */
  readonly blocks: Map<Block, { readonly believed: number; readonly took: number[] }>
}

/**
 * Learns what blocks take on this device from what they took, and keeps the world up to date. A block's own changes are
 * learnt from its own runs. A change that all blocks show which ran lately, and were known well, is one of the device: it
 * holds at once, for the blocks that did not run lately as well.
 */
export class BlockTimes {
  readonly #world: World
  readonly #self: number
  /** By model and number. */
  readonly #blocks: (Block | undefined)[][] = []
  #streak: Streak | undefined
  /** When a block ran last, or there was nothing to forget. */
  #ranAt: Seconds | undefined
  #patience = FIRST_PATIENCE
  #forgotten: readonly Forgotten[] = []

  constructor(world: World, self: number) {
    this.#world = world
    this.#self = self
  }

  /** Block `k` of model `m` took so long, until `now`. */
  ran(m: number, k: number, took: Seconds, now: Seconds): void {
    this.#ranAt = now
    this.#recall(m, k, took)
    const block = this.#block(m, k)
    const believed = this.#world.blockTime(this.#self, m, k)
    if (believed > 0) this.#compare(block, believed, took, now)
    block.took.push(took)
    if (block.took.length > RUNS) block.took.shift()
    if (this.#isLong(now)) this.#changeSpeed()
    else this.#learn(m, k, believed, median(block.took))
  }

  /**
   * Called often while nothing runs here. What was slow for a while is not sent anything, and what is not sent anything shows no better:
   * after a time it is believed to be fast again. The next run tells whether it is.
   */
  rest(now: Seconds): void {
    this.#ranAt ??= now
    if (now - this.#ranAt < this.#patience || this.#forgotten.length > 0) return
    this.#forgotten = this.#carried().flatMap(({ m, k }) => {
      const believed = this.#world.blockTime(this.#self, m, k)
      return believed > FACTOR * this.#leastOf(m, k) ? [{ m, k, believed }] : []
    })
    if (this.#forgotten.length === 0) this.#ranAt = now // looked at again when as much time has passed
    for (const { m, k } of this.#forgotten) this.#world.setBlockTime(this.#self, m, k, this.#leastOf(m, k))
    this.#streak = undefined
  }

  /** What the first run after that says of its block holds for all that were forgotten, but none is slower than it was. */
  #recall(m: number, k: number, took: Seconds): void {
    if (this.#forgotten.length === 0) return
    const ran = this.#forgotten.find(one => one.m === m && one.k === k)
    if (ran === undefined) return
    const slower = Math.max(1, took / this.#leastOf(m, k))
    for (const one of this.#forgotten) {
      const time = Math.min(one.believed, slower * this.#leastOf(one.m, one.k))
      this.#world.setBlockTime(this.#self, one.m, one.k, seconds(time))
      this.#block(one.m, one.k).took = []
    }
    this.#forgotten = []
    const wasRight = took > ran.believed / 2
    this.#patience = wasRight ? seconds(Math.min(LONGEST_PATIENCE, 2 * this.#patience)) : FIRST_PATIENCE
  }

  /** What its model's owner says that it takes at this device's speed may be less than it ever took here. */
  #leastOf(m: number, k: number): Seconds {
    const { models, devices } = this.#world
    const nominal = models[m]!.work[k]! / devices[this.#self]!.speed
    const { least } = this.#block(m, k)
    return seconds(nominal > 0 ? Math.min(least, nominal) : least)
  }

  #carried(): readonly { readonly m: number; readonly k: number }[] {
    return this.#world.models.flatMap(({ work }, m) =>
      [...work.keys()].flatMap(k => (this.#world.carries(this.#self, m, k) ? [{ m, k }] : []))
    )
  }

  #learn(m: number, k: number, believed: Seconds, usual: number): void {
    if (usual === believed) return
    this.#world.setBlockTime(this.#self, m, k, seconds(believed + LEARNING_RATE * (usual - believed)))
  }

  #compare(block: Block, believed: Seconds, took: Seconds, now: Seconds): void {
    const ratio = took / (this.#streak?.blocks.get(block)?.believed ?? believed)
    const slower = ratio > 1
    const agrees = (slower ? ratio : 1 / ratio) < FACTOR
    if (agrees || (this.#streak !== undefined && this.#streak.slower !== slower)) this.#breakStreak()
    if (agrees) block.settled++
    // A block that is new may have been measured wrongly: that says nothing of the others.
    else if (block.settled >= RUNS) this.#extendStreak(block, { believed, took, ratio, since: seconds(now - took) })
  }

  #extendStreak(
    block: Block,
    { believed, took, ratio, since }: { believed: Seconds; took: Seconds; ratio: number; since: Seconds }
  ): void {
    this.#streak ??= { slower: ratio > 1, since, ratios: [], blocks: new Map() }
    this.#streak.ratios.push(ratio)
    const own = this.#streak.blocks.get(block) ?? { believed, took: [] }
    this.#streak.blocks.set(block, own)
    own.took.push(took)
  }

  /** Not all blocks have changed: those that have do so for reasons of their own. */
  #breakStreak(): void {
    for (const block of this.#streak?.blocks.keys() ?? []) block.settled = 0
    this.#streak = undefined
  }

  #isLong(now: Seconds): boolean {
    const streak = this.#streak
    return streak !== undefined && streak.ratios.length >= RUNS && now - streak.since >= STREAK
  }

  /** Blocks of the streak take what they took in it; the others change as these did. */
  #changeSpeed(): void {
    const { ratios, blocks } = this.#streak!
    this.#streak = undefined
    const change = median(ratios)
    for (const { m, k } of this.#carried()) {
      const block = this.#block(m, k)
      const own = blocks.get(block)?.took
      block.took = own?.slice(-RUNS) ?? block.took.map(took => took * change)
      const time = own === undefined ? this.#world.blockTime(this.#self, m, k) * change : median(own)
      this.#world.setBlockTime(this.#self, m, k, seconds(time))
    }
  }

  #block(m: number, k: number): Block {
    const believed = this.#world.blockTime(this.#self, m, k)
    this.#blocks[m] ??= []
    const known = this.#blocks[m][k]
    if (known !== undefined) {
      known.least = Math.min(known.least, believed)
      return known
    }
    const block = { took: [], settled: 0, least: believed }
    this.#blocks[m][k] = block
    return block
  }
}

const median = (list: readonly number[]): number => {
  const [a, b, c] = list
  // Of three it is asked after every block.
  if (list.length === 3) return Math.max(Math.min(a!, b!), Math.min(Math.max(a!, b!), c!))
  return list.toSorted((x, y) => x - y)[Math.floor((list.length - 1) / 2)]!
}
