import type { Halt } from '../../core/halt.ts'
import type { BlockHash } from '../../core/ids.ts'
import { stopOnce } from '../../core/stop-once.ts'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import { milliseconds, type Seconds, seconds } from '../../core/units.ts'
import {
  type BlockRun,
  type BlockVisit,
  type Engine,
  EngineError,
  type FailedRun,
  type LoadedBlock,
  type RunTimes,
  StuckError,
  type TogetherRun,
  type VisitedBlock
} from '../ports/engine.ts'
import { machineTimeOffset } from '../system-clock.ts'
import { calibrateApart } from './calibrate-apart.ts'
import { CALIBRATION_REFERENCE } from './calibration-reference.ts'
import { checkInputs } from './check-inputs.ts'
import type { EngineOptions, EngineProvider, LanePatience } from './engine-options.ts'
import { LaneProgress } from './lane-progress.ts'
import type { LaneAnswers, LaneBlock, LaneRun, MeasuredRuns } from './lane-protocol.ts'
import { type JobLimit, LaneThread } from './lane-thread.ts'
import { ownBuffers } from './own-buffers.ts'

/** The lane thread starts with the first call. @throws RangeError when an option is out of range */
export const createEngine = (options: EngineOptions = {}): Engine => new ThreadedEngine(options)

interface Held {
  readonly file: string
  readonly loaded: Promise<LoadedBlock>
}

const PATIENCE: LanePatience = { times: 30, least: seconds(10) }
/** Runs of one measurement that are not cut short. */
const MEASURED_RUNS = 5

class ThreadedEngine implements Engine {
  readonly takesAhead = true
  readonly #threads: number
  readonly #group: string | undefined
  readonly #tellsOwn: boolean
  readonly #measured: Promise<number> | undefined
  readonly #provider: EngineProvider | undefined
  readonly #held = new Map<BlockHash, Held>()
  /** Seconds of one run, where they were declared. */
  readonly #declared = new Map<BlockHash, Seconds>()
  readonly #offset = machineTimeOffset()
  readonly #patience: LanePatience
  /** Blocks that did not end, and how that was said. */
  readonly #stuck = new Map<BlockHash, StuckError>()
  readonly #lanes = new Set<LaneThread>()
  #lane: LaneThread | undefined
  #stopped = false
  readonly #over = new AbortController()

  constructor({ threads = 1, group, patience = PATIENCE, tellsOwn = true, measured, provider }: EngineOptions) {
    if (!(Number.isInteger(threads) && threads >= 1)) throw new RangeError(`threads must be at least 1, got ${threads}`)
    this.#threads = threads
    this.#group = group
    this.#tellsOwn = tellsOwn
    this.#measured = measured
    this.#provider = provider
    this.#patience = patience
  }

  get abandoned(): number {
    return [...this.#lanes].filter(lane => lane.isAbandoned).length
  }

  load(hash: BlockHash, file: string, work?: Seconds): Promise<LoadedBlock> {
    const stuck = this.#stuck.get(hash)
    if (stuck !== undefined) return Promise.reject(stuck)
    if (work !== undefined) this.#declared.set(hash, work)
    const known = this.#held.get(hash)
    if (known !== undefined) return known.loaded
    const loaded = this.#load(hash, file)
    this.#held.set(hash, { file, loaded })
    loaded.catch(() => {
      if (this.#held.get(hash)?.loaded === loaded) this.#held.delete(hash)
    })
    return loaded
  }

  async unload(hash: BlockHash): Promise<void> {
    this.#stuck.delete(hash)
    if (!this.#held.delete(hash)) return
    this.#declared.delete(hash)
    await this.#running().ask('unload', { hash })
  }

  async run(
    hash: BlockHash,
    inputs: readonly Tensor[],
    _readySince?: Seconds,
    expected: Seconds = seconds(0)
  ): Promise<BlockRun> {
    const { inputs: specs } = await this.#loaded(hash)
    checkInputs(nameOf(hash), specs, inputs)
    const { answer, returned } = await this.#about(
      hash,
      this.#run([{ hash }], inputs, whole(this.#limitOf(hash, expected)))
    )
    return { inputs: returned, outputs: answer.outputs, ...this.#timesOf(answer.runs[0]!) }
  }

  readonly visit = async (
    blocks: readonly VisitedBlock[],
    inputs: readonly Tensor[],
    halt: Halt
  ): Promise<BlockVisit> => {
    await Promise.all(blocks.map(({ hash }) => this.#loaded(hash)))
    const progress = new LaneProgress()
    halt.onAsk(() => progress.halt())
    const limits = blocks.map(({ hash, expected }) => this.#limitOf(hash, expected))
    const ran = this.#run(blocks, inputs, { part: () => progress.at, of: limits }, { progress })
    try {
      const { answer, returned } = await this.#about(() => blocks[progress.at]!.hash, ran)
      const { outputs, runs, failed } = answer
      return {
        inputs: returned,
        outputs,
        runs: runs.map(run => this.#timesOf(run)),
        ...(failed === undefined ? {} : { failed: failureOf(blocks, runs.length, failed) })
      }
    } catch (error) {
      if (progress.at === 0) throw error
      return { runs: [], outputs: [], inputs: [], failed: { at: progress.at, error: error as Error } }
    }
  }

  readonly runTogether = async (
    hash: BlockHash,
    data: readonly (readonly Tensor[])[],
    expected: Seconds = seconds(0)
  ): Promise<TogetherRun> => {
    const { inputs: specs } = await this.#loaded(hash)
    for (const inputs of data) checkInputs(nameOf(hash), specs, inputs)
    const limit = whole(this.#limitOf(hash, expected))
    const ran = this.#run([{ hash }], data.flat(), limit, { data: data.length })
    const { answer, returned } = await this.#about(hash, ran)
    const each = (tensors: readonly Tensor[]): readonly (readonly Tensor[])[] => {
      const size = tensors.length / data.length
      return data.map((_, i) => tensors.slice(i * size, (i + 1) * size))
    }
    return { inputs: each(returned), outputs: each(answer.outputs), ...this.#timesOf(answer.runs[0]!) }
  }

  #timesOf({ start, end, actual }: LaneRun): RunTimes {
    return {
      start: seconds(start / 1000 - this.#offset),
      end: seconds(end / 1000 - this.#offset),
      took: milliseconds(end - start),
      own: milliseconds(actual),
      late: seconds(0)
    }
  }

  async measure(
    hash: BlockHash,
    inputs: readonly { readonly spec: TensorSpec; readonly dims: readonly number[] }[],
    _isReference = false,
    isBrief = false
  ): Promise<Seconds> {
    await this.#loaded(hash)
    const madeUp = inputs.map(({ spec: { name, type }, dims }) => ({ name, type, dims }))
    const declared = this.#declared.get(hash)
    const runs: MeasuredRuns = declared !== undefined ? 'warmUp' : isBrief ? 'few' : 'many'
    const job = { hash, inputs: madeUp, runs }
    const limit = this.#limit(MEASURED_RUNS * (declared ?? 0))
    const { least } = await this.#about(hash, this.#running().ask('measure', job, [], whole(limit)))
    return declared ?? milliseconds(least)
  }

  async calibrate(): Promise<number> {
    const least = await (this.#measured ?? calibrateApart(this.#threads, this.#over.signal))
    return CALIBRATION_REFERENCE / milliseconds(least)
  }

  readonly #stop = stopOnce(async () => {
    this.#stopped = true
    this.#over.abort()
    await this.#lane?.close()
  })

  stop(): Promise<void> {
    return this.#stop.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop.stop()
  }

  async #load(hash: BlockHash, file: string): Promise<LoadedBlock> {
    return this.#about(hash, this.#running().ask('load', { hash, file }))
  }

  async #run(
    blocks: readonly LaneBlock[],
    inputs: readonly Tensor[],
    limit: JobLimit,
    { progress, ...more }: { readonly progress?: LaneProgress; readonly data?: number } = {}
  ): Promise<{ readonly answer: LaneAnswers['run']; readonly returned: readonly Tensor[] }> {
    const lane = this.#running()
    const seen = { ...more, ...(progress === undefined ? {} : { progress: progress.memory }) }
    const shared = lane.memory.share(inputs)
    if (shared === undefined) {
      const { tensors, buffers } = ownBuffers(inputs)
      const answer = await lane.ask('run', { blocks, inputs: tensors, ...seen }, buffers, limit)
      return { answer, returned: answer.inputs }
    }
    const answer = await lane.ask('run', { blocks, inputs: { shared: shared.inputs }, ...seen }, [], limit)
    shared.giveBack()
    return { answer, returned: inputs }
  }

  #limitOf(hash: BlockHash, expected: Seconds): Seconds {
    return this.#limit(Math.max(expected, this.#declared.get(hash) ?? 0))
  }

  /** @param nominal seconds that it should take */
  #limit(nominal: number): Seconds {
    return seconds(Math.max(this.#patience.least, this.#patience.times * nominal))
  }

  /** @param about the block, or which it is when something goes wrong */
  async #about<T>(about: BlockHash | (() => BlockHash), answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      const hash = typeof about === 'string' ? about : about()
      const text = `${nameOf(hash)}: ${(error as Error).message}`
      if (!(error instanceof StuckError)) throw new EngineError(text, { cause: error })
      const stuck = new StuckError(text)
      this.#stuck.set(hash, stuck)
      this.#held.delete(hash)
      throw stuck
    }
  }

  #loaded(hash: BlockHash): Promise<LoadedBlock> {
    const held = this.#held.get(hash)
    const stuck = this.#stuck.get(hash)
    if (stuck !== undefined) return Promise.reject(stuck)
    if (held === undefined) return Promise.reject(new EngineError(`${nameOf(hash)} is not loaded here`))
    return held.loaded
  }

  /** The lane; a new one, with every block loaded again before anything else, when the last one died. */
  #running(): LaneThread {
    if (this.#stopped) throw new EngineError('the engine has stopped')
    if (this.#lane !== undefined) return this.#lane
    const settings = {
      ...{ threads: this.#threads, group: this.#group, tellsOwn: this.#tellsOwn },
      provider: this.#provider
    }
    const lane = new LaneThread(settings, dead => {
      if (this.#lane === dead) this.#lane = undefined
      if (!dead.isAbandoned) this.#lanes.delete(dead)
    })
    this.#lane = lane
    this.#lanes.add(lane)
    // One that cannot be loaded any more makes its own runs fail, with these words.
    for (const [hash, { file }] of this.#held) lane.ask('load', { hash, file }).catch(() => {})
    return lane
  }
}

const failureOf = (blocks: readonly VisitedBlock[], at: number, because: string): FailedRun => ({
  at,
  error: new EngineError(`${nameOf(blocks[at]!.hash)}: ${because}`)
})

/** Of a job in one part. */
const whole = (limit: Seconds): JobLimit => ({ part: () => 0, of: [limit] })

const nameOf = (hash: BlockHash): string => `block ${hash.slice(0, 12)}`
