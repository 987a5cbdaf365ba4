import type { BlockHash } from '../../core/ids.ts'
import { stopOnce } from '../../core/stop-once.ts'
import { seconds } from '../../core/units.ts'
import type { Engine, LoadedBlock } from '../ports/engine.ts'

interface Lane {
  readonly engine: Engine
  /** Runs that it was given and has not ended. */
  under: number
}

/**
 * Several engines as one of as many lanes: each holds every block, and what is to be run goes to the one that has least to do. Engines
 * share nothing, so weights are in memory once for each.
 */
export class LanesEngine implements Engine {
  readonly takesAhead: boolean
  readonly visit: Engine['visit']
  readonly runTogether: Engine['runTogether']
  readonly providerOf: Engine['providerOf']
  readonly lanes: number
  readonly #first: Engine
  /** Of those that have as little to do, the one that has waited longest is first. */
  readonly #lanes: Lane[]

  /** @param engines at least one, all alike @throws RangeError when there is none */
  constructor(engines: readonly Engine[]) {
    const [first] = engines
    if (first === undefined) throw new RangeError('an engine has at least one lane')
    this.#first = first
    this.#lanes = engines.map(engine => ({ engine, under: 0 }))
    this.lanes = engines.length
    this.takesAhead = first.takesAhead ?? false
    this.visit = first.visit && ((...visit) => this.#give(engine => engine.visit!(...visit)))
    this.runTogether = first.runTogether && ((...runs) => this.#give(engine => engine.runTogether!(...runs)))
    this.providerOf = first.providerOf?.bind(first)
  }

  get abandoned(): number {
    return this.#lanes.reduce((sum, { engine }) => sum + (engine.abandoned ?? 0), 0)
  }

  /** In all lanes or in none. */
  async load(...block: Parameters<Engine['load']>): Promise<LoadedBlock> {
    const loaded = await Promise.allSettled(this.#lanes.map(({ engine }) => engine.load(...block)))
    const failed = loaded.find(outcome => outcome.status === 'rejected')
    if (failed === undefined) return (loaded[0] as PromiseFulfilledResult<LoadedBlock>).value
    await this.unload(block[0])
    throw failed.reason
  }

  async unload(hash: BlockHash): Promise<void> {
    await Promise.all(this.#lanes.map(({ engine }) => engine.unload(hash)))
  }

  run(...run: Parameters<Engine['run']>): ReturnType<Engine['run']> {
    return this.#give(engine => engine.run(...run))
  }

  /** In all lanes at once, as it will be when there is much to do: the mean. For reference, in one by itself, as `calibrate`. */
  async measure(...block: Parameters<Engine['measure']>): ReturnType<Engine['measure']> {
    const [, , isReference] = block
    if (isReference === true) return this.#first.measure(...block)
    const times = await Promise.all(this.#lanes.map(({ engine }) => engine.measure(...block)))
    return seconds(times.reduce((sum, time) => sum + time, 0) / times.length)
  }

  /** Of one lane by itself. */
  calibrate(): Promise<number> {
    return this.#first.calibrate()
  }

  readonly #stop = stopOnce(async () => {
    await Promise.all(this.#lanes.map(({ engine }) => engine.stop()))
  })

  stop(): Promise<void> {
    return this.#stop.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #give<T>(run: (engine: Engine) => Promise<T>): Promise<T> {
    const lane = this.#lanes.reduce((best, other) => (other.under < best.under ? other : best))
    this.#lanes.splice(this.#lanes.indexOf(lane), 1)
    this.#lanes.push(lane)
    lane.under++
    try {
      return await run(lane.engine)
    } finally {
      lane.under--
    }
  }
}
