import type { BlockHash } from '../core/ids.ts'

interface Shaped {
  readonly name: string
  readonly dims: readonly number[]
}

/** Kept per block; inputs of ever new shapes must not fill the memory. */
const SHAPES = 256

/**
 * Un-emulated times of blocks by the shapes of their inputs, in seconds: what emulation stretches. A time that was
 * declared or measured stands; for shapes that were not measured, the least that was seen so far.
 */
export class NominalTimes {
  readonly #measured = new Map<BlockHash, Map<string, number>>()
  readonly #declared = new Map<BlockHash, number>()
  readonly #seen = new Map<BlockHash, Map<string, number>>()

  /** Holds for all shapes, whatever is measured or seen. */
  declare(hash: BlockHash, time: number): void {
    this.#declared.set(hash, time)
  }

  declared(hash: BlockHash): number | undefined {
    return this.#declared.get(hash)
  }

  of(hash: BlockHash, inputs: readonly Shaped[]): number | undefined {
    const declared = this.#declared.get(hash)
    if (declared !== undefined) return declared
    const key = keyOf(inputs)
    return this.#measured.get(hash)?.get(key) ?? this.#seen.get(hash)?.get(key)
  }

  measured(hash: BlockHash, inputs: readonly Shaped[], time: number): void {
    put(this.#measured, hash, keyOf(inputs), time)
  }

  seen(hash: BlockHash, inputs: readonly Shaped[], time: number): void {
    if (this.#declared.has(hash)) return
    const key = keyOf(inputs)
    put(this.#seen, hash, key, Math.min(time, this.#seen.get(hash)?.get(key) ?? time))
  }

  forget(hash: BlockHash): void {
    this.#declared.delete(hash)
    this.#measured.delete(hash)
    this.#seen.delete(hash)
  }
}

const put = (times: Map<BlockHash, Map<string, number>>, hash: BlockHash, key: string, time: number): void => {
  const shapes = times.get(hash) ?? new Map<string, number>()
  times.set(hash, shapes.set(key, time))
  const oldest = shapes.keys().next()
  if (shapes.size > SHAPES && oldest.done !== true) shapes.delete(oldest.value)
}

const keyOf = (inputs: readonly Shaped[]): string =>
  inputs
    .map(({ name, dims }) => `${name}:${dims.join('x')}`)
    .sort()
    .join(';')
