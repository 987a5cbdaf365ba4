import type { BlockHash } from '../../core/ids.ts'
import type { Tensor } from '../../core/tensor.ts'
import type { Seconds } from '../../core/units.ts'
import type { BlockRun, Engine, LoadedBlock } from '../ports/engine.ts'

/**
 * One engine for several who load blocks: models that share a block byte for byte, and what times a block of a new model.
 * A block stays loaded until each who loaded it has unloaded it.
 */
export class SharedEngine implements Engine {
  readonly #below: Engine
  readonly #users = new Map<BlockHash, number>()
  readonly visit: Engine['visit']
  readonly providerOf: Engine['providerOf']
  readonly runTogether: Engine['runTogether']
  readonly adapt: Engine['adapt']

  constructor(below: Engine) {
    this.#below = below
    this.visit = below.visit?.bind(below)
    this.providerOf = below.providerOf?.bind(below)
    this.runTogether = below.runTogether?.bind(below)
    this.adapt = below.adapt?.bind(below)
  }

  get abandoned(): number {
    return this.#below.abandoned ?? 0
  }

  get lanes(): number {
    return this.#below.lanes ?? 1
  }

  get split(): Engine['split'] {
    return this.#below.split
  }

  get takesAhead(): boolean {
    return this.#below.takesAhead ?? false
  }

  /** Counted from now on, not from when it is loaded: who unloads the same block meanwhile leaves it. */
  async load(hash: BlockHash, place: string, work?: Seconds): Promise<LoadedBlock> {
    this.#users.set(hash, (this.#users.get(hash) ?? 0) + 1)
    try {
      return await this.#below.load(hash, place, work)
    } catch (error) {
      this.#release(hash)
      throw error
    }
  }

  async unload(hash: BlockHash): Promise<void> {
    if (this.#release(hash) === 0) await this.#below.unload(hash)
  }

  run(hash: BlockHash, inputs: readonly Tensor[], readySince?: Seconds, expected?: Seconds): Promise<BlockRun> {
    return this.#below.run(hash, inputs, readySince, expected)
  }

  measure(...measured: Parameters<Engine['measure']>): Promise<Seconds> {
    return this.#below.measure(...measured)
  }

  calibrate(): Promise<number> {
    return this.#below.calibrate()
  }

  stop(): Promise<void> {
    return this.#below.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** @returns how many still use it */
  #release(hash: BlockHash): number {
    const left = Math.max(0, (this.#users.get(hash) ?? 0) - 1)
    if (left > 0) this.#users.set(hash, left)
    else this.#users.delete(hash)
    return left
  }
}
