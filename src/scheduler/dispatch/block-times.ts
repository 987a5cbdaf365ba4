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

interface Block {
  /** Its last runs, newest last, as they would have been at the present speed. */
  took: readonly number[]
  /** Runs on end that took about what was believed. */
  settled: number
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
  readonly #blocks = new Map<string, Block>()
  #streak: Streak | undefined

  constructor(world: World, self: number) {
    this.#world = world
    this.#self = self
  }

  /** Block `k` of model `m` took so long, until `now`. */
  ran(m: number, k: number, took: Seconds, now: Seconds): void {
    const block = this.#block(m, k)
    const believed = this.#world.blockTime(this.#self, m, k)
    if (believed > 0) this.#compare(block, believed, took, now)
    block.took = [...block.took, took].slice(-RUNS)
    if (this.#isLong(now)) this.#changeSpeed()
    else this.#learn(m, k, believed, median(block.took))
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
    for (const [m, { work }] of this.#world.models.entries()) {
      for (const k of work.keys()) {
        if (!this.#world.carries(this.#self, m, k)) continue
        const block = this.#block(m, k)
        const own = blocks.get(block)?.took
        block.took = own?.slice(-RUNS) ?? block.took.map(took => took * change)
        const time = own === undefined ? this.#world.blockTime(this.#self, m, k) * change : median(own)
        this.#world.setBlockTime(this.#self, m, k, seconds(time))
      }
    }
  }

  #block(m: number, k: number): Block {
    const block = this.#blocks.get(`${m} ${k}`) ?? { took: [], settled: 0 }
    this.#blocks.set(`${m} ${k}`, block)
    return block
  }
}

const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor((list.length - 1) / 2)]!
