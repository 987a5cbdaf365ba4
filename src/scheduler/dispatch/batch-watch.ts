import { LEAST_GAIN } from '../../core/batch-curve.ts'
import type { Seconds } from '../../core/units.ts'

/** One batch that takes long is an accident. */
const RUNS = 3

interface Doubt {
  /** What one took by itself, as it was believed before. */
  readonly alone: Seconds
  /** Batches on end that gained nothing, and how much each datum took of the last. */
  readonly count: number
  readonly each: number
}

/**
 * Whether batches of a block gain what their curve says. When several on end have gained nothing by what is believed of one, the
 * block or the whole device may be slower: so the next is run by itself, and that tells.
 */
export class BatchWatch {
  readonly #doubts = new Map<string, Doubt>()

  /** Whether the next one of this block is to run by itself. */
  isDoubted(block: string): boolean {
    return (this.#doubts.get(block)?.count ?? 0) >= RUNS
  }

  /** @param alone what is believed of one */
  ranTogether(block: string, size: number, took: Seconds, alone: Seconds): void {
    const doubt = this.#doubts.get(block) ?? { alone, count: 0 }
    const each = took / size
    if (gains(each, doubt.alone)) this.#doubts.delete(block)
    else this.#doubts.set(block, { ...doubt, count: doubt.count + 1, each })
  }

  /** @returns whether batches of it gain nothing */
  ranAlone(block: string, took: Seconds): boolean {
    const doubt = this.#doubts.get(block)
    this.#doubts.delete(block)
    return doubt !== undefined && doubt.count >= RUNS && !gains(doubt.each, took)
  }
}

const gains = (each: number, alone: Seconds): boolean => each <= alone * (1 - LEAST_GAIN)
