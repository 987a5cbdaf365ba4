import type { Clock } from '../../../core/clock.ts'
import type { Halt } from '../../../core/halt.ts'
import type { BlockHash } from '../../../core/ids.ts'
import { madeUpTensor } from '../../../core/made-up-tensor.ts'
import { createRng } from '../../../core/rng.ts'
import { Serial } from '../../../core/serial.ts'
import { stopOnce } from '../../../core/stop-once.ts'
import type { Tensor } from '../../../core/tensor.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import {
  type BlockProvider,
  type BlockRun,
  type BlockVisit,
  type Engine,
  EngineError,
  type LoadedBlock,
  StuckError,
  type TogetherRun,
  type VisitedBlock
} from '../../ports/engine.ts'
import type { ProviderSettings } from './provider-settings.ts'
import type { ProviderTrial } from './provider-trial.ts'
import { tryProvider } from './try-provider.ts'

/** A provider that runs on this machine, with an engine of its own. */
export interface ReadyProvider {
  readonly name: string
  readonly engine: Engine
  readonly settings: ProviderSettings
}

/** Of those that were asked for. */
export interface Providers {
  readonly ready: readonly ReadyProvider[]
  readonly absent: readonly { readonly name: string; readonly because: string }[]
}

export interface ProviderEngineParts {
  /** What every block can run on. */
  readonly cpu: Engine
  /** Of whether others are there it is asked once, when the first block is to be loaded. @param signal ends it */
  readonly find: (signal: AbortSignal) => Promise<Providers>
  readonly clock: Clock
  /** Whatever there is was asked for: that something is not there is no surprise. */
  readonly isAuto: boolean
  /** For people: one line. */
  readonly say: (text: string, level?: 'info' | 'warn') => void
}

/** As the last parameters of `Engine.run`. */
type ByTime = [readySince?: Seconds | undefined, expected?: Seconds | undefined]

interface Held {
  readonly place: string
  readonly loaded: LoadedBlock
  /** Seconds of one run, where somebody says it. */
  readonly declared: Seconds | undefined
  /** What it runs on; undefined: cpu. */
  provider: ReadyProvider | undefined
  because: string
}

/** A provider that has not loaded or tried a block by then is not used. */
const PATIENCE: Seconds = seconds(180)
/** Of cpu's least time; what is not faster by that much is not worth another's rounding. */
const FASTER = 0.95
/** Trials of so many blocks are remembered. */
const MOST_TRIALS = 4096

/**
 * Per block the fastest of several execution providers: when a block is measured, each that is there runs it beside cpu. It gets the block
 * where its outputs are cpu's within a limit and it is faster beyond noise. All else runs on cpu. A block whose provider fails runs
 * on cpu from then on, the datum at hand first: what a provider is given is lent, so that it is still there.
 */
export class ProviderEngine implements Engine {
  readonly takesAhead: boolean
  readonly visit: Engine['visit']
  readonly runTogether: Engine['runTogether']
  readonly #parts: ProviderEngineParts
  readonly #held = new Map<BlockHash, Held>()
  readonly #trials = new Map<BlockHash, readonly ProviderTrial[]>()
  /** No block is given to them any more. */
  readonly #hang = new Set<ReadyProvider>()
  readonly #over = new AbortController()
  /** Runs of what has failed elsewhere, which load and unload. */
  readonly #instead = new Serial()
  #providers: Promise<Providers> | undefined
  #found: Providers | undefined

  constructor(parts: ProviderEngineParts) {
    this.#parts = parts
    this.takesAhead = parts.cpu.takesAhead ?? false
    this.visit = parts.cpu.visit === undefined ? undefined : (blocks, inputs, halt) => this.#visit(blocks, inputs, halt)
    this.runTogether = parts.cpu.runTogether === undefined ? undefined : (...runs) => this.#runTogether(...runs)
  }

  get abandoned(): number {
    const engines = [this.#parts.cpu, ...(this.#found?.ready ?? []).map(({ engine }) => engine)]
    return engines.reduce((sum, { abandoned = 0 }) => sum + abandoned, 0)
  }

  readonly providerOf = (hash: BlockHash): BlockProvider | undefined => {
    const held = this.#held.get(hash)
    return held === undefined ? undefined : { provider: held.provider?.name ?? 'cpu', because: held.because }
  }

  /** Of each provider that was asked for, `cpu` first; empty before the block was measured. */
  trials(hash: BlockHash): readonly ProviderTrial[] {
    return this.#trials.get(hash) ?? []
  }

  async load(hash: BlockHash, place: string, work?: Seconds): Promise<LoadedBlock> {
    const known = this.#held.get(hash)
    if (known?.provider !== undefined) return known.loaded
    const loaded = await this.#parts.cpu.load(hash, place, work)
    if (!this.#held.has(hash))
      this.#held.set(hash, { place, loaded, declared: work, provider: undefined, because: UNMEASURED })
    return loaded
  }

  async unload(hash: BlockHash): Promise<void> {
    const held = this.#held.get(hash)
    this.#held.delete(hash)
    await Promise.all([this.#parts.cpu.unload(hash), held?.provider?.engine.unload(hash)])
  }

  async measure(...[hash, inputs, isReference, isBrief]: Parameters<Engine['measure']>): Promise<Seconds> {
    const held = this.#held.get(hash)
    if (isBrief === true && isReference !== true)
      return (held?.provider?.engine ?? this.#parts.cpu).measure(hash, inputs, false, true)
    if (held?.provider !== undefined)
      return isReference === true ? this.#onCpu(hash, held, inputs) : this.#timeOf(hash, held)
    const time = await this.#parts.cpu.measure(hash, inputs)
    if (held === undefined || isReference === true) return time
    await this.#choose(hash, held, inputs, time)
    return held.provider === undefined ? time : this.#timeOf(hash, held)
  }

  async run(hash: BlockHash, inputs: readonly Tensor[], ...more: ByTime): Promise<BlockRun> {
    const held = this.#held.get(hash)
    const provider = held?.provider
    if (held === undefined || provider === undefined) return this.#runOnCpu(hash, inputs, more)
    if (this.#hang.has(provider)) return this.#runInstead(hash, held, provider, new EngineError(HANGS), inputs, more)
    try {
      return { ...(await provider.engine.run(hash, inputs.map(lend), ...more)), inputs }
    } catch (error) {
      return this.#runInstead(hash, held, provider, error as Error, inputs, more)
    }
  }

  #runOnCpu(hash: BlockHash, inputs: readonly Tensor[], [readySince, expected]: ByTime): Promise<BlockRun> {
    return this.#parts.cpu.run(hash, inputs, readySince, this.#expectedOnCpu(hash, expected))
  }

  /** Whoever expects what a provider takes would take cpu for stuck. */
  #expectedOnCpu(hash: BlockHash, expected: Seconds = seconds(0), data = 1): Seconds {
    const tried = this.trials(hash).find(({ provider }) => provider === 'cpu')?.time ?? 0
    return seconds(Math.max(expected, data * tried))
  }

  /** On cpu at once; on others, of which nobody knows whether they can, one after the other. */
  async #runTogether(...[hash, data, expected]: Parameters<NonNullable<Engine['runTogether']>>): Promise<TogetherRun> {
    if (this.#held.get(hash)?.provider === undefined)
      return this.#parts.cpu.runTogether!(hash, data, this.#expectedOnCpu(hash, expected, data.length))
    const each = expected === undefined ? undefined : seconds(expected / data.length)
    const runs: BlockRun[] = []
    for (const inputs of data) runs.push(await this.run(hash, inputs, undefined, each))
    const sum = (of: (run: BlockRun) => Seconds): Seconds => seconds(runs.reduce((all, run) => all + of(run), 0))
    return {
      ...{ inputs: runs.map(({ inputs }) => inputs), outputs: runs.map(({ outputs }) => outputs) },
      ...{ start: runs[0]!.start, end: runs.at(-1)!.end },
      ...{ took: sum(({ took }) => took), own: sum(({ own }) => own), late: sum(({ late }) => late) }
    }
  }

  calibrate(): Promise<number> {
    return this.#parts.cpu.calibrate()
  }

  readonly #stop = stopOnce(async () => {
    this.#over.abort()
    const providers = await this.#providers?.catch(() => undefined)
    await Promise.all([this.#parts.cpu.stop(), ...(providers?.ready ?? []).map(({ engine }) => engine.stop())])
  })

  stop(): Promise<void> {
    return this.#stop.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** Of what runs on another provider. */
  #timeOf(hash: BlockHash, { declared }: Held): Seconds {
    return declared ?? this.trials(hash).find(({ isChosen }) => isChosen)!.time!
  }

  async #onCpu(hash: BlockHash, { place, declared }: Held, inputs: Parameters<Engine['measure']>[1]): Promise<Seconds> {
    await this.#parts.cpu.load(hash, place, declared)
    try {
      return await this.#parts.cpu.measure(hash, inputs)
    } finally {
      await this.#parts.cpu.unload(hash)
    }
  }

  /** What was asked for and is not there is said once. */
  #find(): Promise<Providers> {
    this.#providers ??= this.#parts.find(this.#over.signal).then(found => {
      this.#found = found
      for (const { name, because } of found.absent)
        this.#parts.say(
          `provider ${name} is not there: ${because}; blocks run on cpu`,
          this.#parts.isAuto ? 'info' : 'warn'
        )
      return found
    })
    return this.#providers
  }

  async #choose(hash: BlockHash, held: Held, shaped: Parameters<Engine['measure']>[1], least: Seconds): Promise<void> {
    const { ready, absent } = await this.#find()
    const rng = createRng(`provider ${hash}`)
    const inputs = shaped.map(({ spec: { name, type }, dims }) => madeUpTensor(name, type, dims, rng))
    const trials: ProviderTrial[] = absent.map(({ name, because }) => ({ ...UNTRIED, provider: name, because }))
    let cpuTime = least
    let best: { readonly provider: ReadyProvider; readonly time: Seconds } | undefined
    for (const provider of ready) {
      const { trial, cpu } = await this.#try(provider, hash, held, inputs)
      trials.push(trial)
      cpuTime = cpu ?? cpuTime
      if (!trial.isChosen) continue
      const isBetter = best === undefined || trial.time! < best.time
      const loser = isBetter ? best?.provider : provider
      await loser?.engine.unload(hash)
      if (isBetter) best = { provider, time: trial.time! }
    }
    const cpu = { provider: 'cpu', time: cpuTime, difference: 0, because: 'what the others are compared with' }
    const name = best?.provider.name ?? 'cpu'
    const decided = [{ ...cpu, isChosen: false }, ...trials].map(trial => decide(trial, name))
    held.because = decided.map(({ provider, because }) => `${provider}: ${because}`).join('; ')
    this.#remember(hash, decided)
    if (best === undefined) return
    if (this.#held.get(hash) !== held) return best.provider.engine.unload(hash) // it was unloaded meanwhile
    held.provider = best.provider
    await this.#parts.cpu.unload(hash)
  }

  /** Stays loaded there where it could be chosen. @returns with what cpu took meanwhile, by the median */
  async #try(
    provider: ReadyProvider,
    hash: BlockHash,
    { place }: Held,
    inputs: readonly Tensor[]
  ): Promise<{ readonly trial: ProviderTrial; readonly cpu?: Seconds }> {
    const { name, engine, settings } = provider
    if (this.#hang.has(provider)) return { trial: { ...UNTRIED, provider: name, because: HANGS } }
    const trying = async () => {
      await engine.load(hash, place)
      return tryProvider(this.#parts.cpu, engine, hash, inputs)
    }
    try {
      const { time, difference, cpu, leastOfCpu } = await this.#inTime(trying(), provider)
      const because = refusal(time, difference, leastOfCpu, settings)
      if (because !== undefined) await engine.unload(hash)
      const isChosen = because === undefined
      return { trial: { provider: name, time, difference, isChosen, because: because ?? '' }, cpu }
    } catch (error) {
      if (!this.#hang.has(provider)) await engine.unload(hash).catch(() => {})
      return { trial: { ...UNTRIED, provider: name, because: `it does not run it: ${(error as Error).message}` } }
    }
  }

  async #inTime<T>(work: Promise<T>, provider: ReadyProvider): Promise<T> {
    const done = new AbortController()
    const late = this.#parts.clock.sleep(PATIENCE, { signal: done.signal }).then(() => {
      this.#hang.add(provider)
      throw new EngineError(`nothing came of it in ${PATIENCE} s`)
    })
    late.catch(() => {})
    try {
      return await Promise.race([work, late])
    } catch (error) {
      if (error instanceof StuckError) this.#hang.add(provider)
      throw error
    } finally {
      work.catch(() => {})
      done.abort()
    }
  }

  #remember(hash: BlockHash, trials: readonly ProviderTrial[]): void {
    this.#trials.delete(hash)
    this.#trials.set(hash, trials)
    const [oldest] = this.#trials.keys()
    if (this.#trials.size > MOST_TRIALS) this.#trials.delete(oldest!)
  }

  /**
   * On cpu, which then keeps the block; where that cannot run it either, the fault is not the provider's, which keeps it.
   * @throws what cpu says of it
   */
  #runInstead(
    hash: BlockHash,
    held: Held,
    provider: ReadyProvider,
    because: Error,
    inputs: readonly Tensor[],
    more: ByTime
  ): Promise<BlockRun> {
    if (because instanceof StuckError) this.#hang.add(provider)
    return this.#instead.run(async () => {
      await this.#parts.cpu.load(hash, held.place, held.declared)
      try {
        const run = await this.#runOnCpu(hash, inputs, more)
        this.#leave(hash, held, provider, because)
        return run
      } catch (error) {
        if (held.provider === provider) await this.#parts.cpu.unload(hash)
        throw error
      }
    })
  }

  #leave(hash: BlockHash, held: Held, provider: ReadyProvider, { message }: Error): void {
    if (held.provider !== provider) return // a run before it was the first to fail
    held.provider = undefined
    held.because = `${provider.name} failed: ${message}`
    this.#parts.say(`provider ${provider.name} failed: ${message}; the block goes on with cpu`, 'warn')
    void provider.engine.unload(hash).catch(() => {})
  }

  /** As many of the blocks as run on the same provider; one that fails there is the next visit's first, and runs instead. */
  async #visit(blocks: readonly VisitedBlock[], inputs: readonly Tensor[], halt: Halt): Promise<BlockVisit> {
    const provider = this.#held.get(blocks[0]!.hash)?.provider
    const others = blocks.findIndex(({ hash }) => this.#held.get(hash)?.provider !== provider)
    const alike = others < 0 ? blocks : blocks.slice(0, others)
    const read = new Set(alike.flatMap(({ hash }) => this.#held.get(hash)?.loaded.inputs ?? []).map(({ name }) => name))
    const given = inputs.filter(({ name }) => read.has(name))
    const rest = inputs.filter(({ name }) => !read.has(name))
    if (provider === undefined) {
      const patient = alike.map(block => ({ ...block, expected: this.#expectedOnCpu(block.hash, block.expected) }))
      const visit = await this.#parts.cpu.visit!(patient, given, halt)
      return { ...visit, inputs: [...visit.inputs, ...rest] }
    }
    const ran = await this.#visitAt(provider, alike, given, halt)
    if (ran.failed === undefined) return { ...ran, inputs }
    if (ran.failed.at > 0) return this.#visit(alike.slice(0, ran.failed.at), inputs, halt)
    const [{ hash, expected }] = alike as [VisitedBlock]
    const held = this.#held.get(hash)
    if (held === undefined) throw ran.failed.error
    const own = new Set(held.loaded.inputs.map(({ name }) => name))
    const isOwn = ({ name }: Tensor): boolean => own.has(name)
    const instead = await this.#runInstead(hash, held, provider, ran.failed.error, inputs.filter(isOwn), [
      undefined,
      expected
    ])
    const { outputs, inputs: back, ...run } = instead
    return { runs: [run], outputs, inputs: [...back, ...inputs.filter(tensor => !isOwn(tensor))] }
  }

  async #visitAt(
    provider: ReadyProvider,
    blocks: readonly VisitedBlock[],
    inputs: readonly Tensor[],
    halt: Halt
  ): Promise<BlockVisit> {
    const failed = (error: Error): BlockVisit => ({ runs: [], outputs: [], inputs: [], failed: { at: 0, error } })
    if (this.#hang.has(provider)) return failed(new EngineError(HANGS))
    try {
      return await provider.engine.visit!(blocks, inputs.map(lend), halt)
    } catch (error) {
      return failed(error as Error)
    }
  }
}

const HANGS = 'it did not come to an end before'
const UNMEASURED = 'cpu: not measured, since the shapes of its inputs are not known'

const UNTRIED = { time: undefined, difference: undefined, isChosen: false } as const

const lend = (tensor: Tensor): Tensor => ({ ...tensor, isLent: true })

/** Why a provider that ran a block does not get it; undefined where it could. */
const refusal = (
  time: Seconds,
  difference: number,
  leastOfCpu: Seconds,
  { limit, evenIfSlower }: ProviderSettings
): string | undefined => {
  if (!(difference <= limit)) return `its outputs differ by ${difference.toExponential(1)}, the limit is ${limit}`
  if (!evenIfSlower && !(time < FASTER * leastOfCpu)) return 'it is not faster than cpu beyond noise'
  return undefined
}

const decide = (trial: ProviderTrial, chosen: string): ProviderTrial => {
  const isChosen = trial.provider === chosen
  if (isChosen) return { ...trial, isChosen, because: chosen === 'cpu' ? 'nothing else is better' : 'it is the best' }
  return { ...trial, isChosen, because: trial.isChosen ? `${chosen} is faster` : trial.because }
}
