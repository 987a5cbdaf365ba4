import type { BlockHash } from '../../core/ids.ts'
import { stopOnce } from '../../core/stop-once.ts'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import { milliseconds, type Seconds, seconds } from '../../core/units.ts'
import { type BlockRun, type Engine, EngineError, type LoadedBlock, StuckError } from '../ports/engine.ts'
import { machineTimeOffset } from '../system-clock.ts'
import { calibrateApart } from './calibrate-apart.ts'
import { CALIBRATION_REFERENCE } from './calibration-model.ts'
import { checkInputs } from './check-inputs.ts'
import type { EngineOptions, LanePatience } from './engine-options.ts'
import { LaneThread } from './lane-thread.ts'
import { NominalTimes } from './nominal-times.ts'
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
  readonly #threads: number
  readonly #isCalibrated: boolean
  readonly #isPaced: boolean
  readonly #group: string | undefined
  /** An emulated run lasts this many times its own time; a faster device cannot be emulated. */
  #stretch: number
  readonly #held = new Map<BlockHash, Held>()
  readonly #nominal = new NominalTimes()
  readonly #offset = machineTimeOffset()
  readonly #patience: LanePatience
  /** Blocks that did not end, and how that was said. */
  readonly #stuck = new Map<BlockHash, StuckError>()
  readonly #lanes = new Set<LaneThread>()
  #lane: LaneThread | undefined
  #stopped = false
  readonly #over = new AbortController()

  constructor({
    speed = 1,
    threads = 1,
    isCalibrated = false,
    isPaced = true,
    group,
    patience = PATIENCE
  }: EngineOptions) {
    if (!(speed > 0 && Number.isFinite(speed))) throw new RangeError(`speed must be above 0, got ${speed}`)
    if (!(Number.isInteger(threads) && threads >= 1)) throw new RangeError(`threads must be at least 1, got ${threads}`)
    this.#threads = threads
    this.#isCalibrated = isCalibrated
    this.#isPaced = isPaced
    this.#group = group
    this.#patience = patience
    this.#stretch = Math.max(1, 1 / speed)
  }

  setSpeed(speed: number): void {
    if (!(speed > 0 && Number.isFinite(speed))) throw new RangeError(`speed must be above 0, got ${speed}`)
    this.#stretch = Math.max(1, 1 / speed)
  }

  get abandoned(): number {
    return [...this.#lanes].filter(lane => lane.isAbandoned).length
  }

  load(hash: BlockHash, file: string, work?: Seconds): Promise<LoadedBlock> {
    const stuck = this.#stuck.get(hash)
    if (stuck !== undefined) return Promise.reject(stuck)
    if (work !== undefined) this.#nominal.declare(hash, 1000 * work)
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
    this.#nominal.forget(hash)
    await this.#running().ask('unload', { hash })
  }

  async run(
    hash: BlockHash,
    inputs: readonly Tensor[],
    readySince?: Seconds,
    expected: Seconds = seconds(0)
  ): Promise<BlockRun> {
    const { inputs: specs } = await this.#loaded(hash)
    checkInputs(nameOf(hash), specs, inputs)
    const own = ownBuffers(inputs)
    const isDeclared = this.#isPaced && this.#nominal.declared(hash) !== undefined
    const ready = readySince === undefined ? undefined : 1000 * (readySince + this.#offset)
    const pace = {
      stretch: this.#isPaced ? this.#stretch : 1,
      nominal: this.#nominal.of(hash, inputs),
      isDeclared,
      ready
    }
    const nominal = Math.max(1000 * expected, (pace.nominal ?? 0) * pace.stretch)
    const job = { hash, inputs: own.tensors, pace }
    const answer = await this.#about(hash, this.#running().ask('run', job, own.buffers, this.#limit(nominal)))
    this.#nominal.seen(hash, answer.inputs, answer.actual)
    const took = answer.end - answer.start
    const late = isDeclared ? Math.max(0, took - pace.nominal! * pace.stretch) : 0
    return {
      inputs: answer.inputs,
      outputs: answer.outputs,
      start: seconds(answer.start / 1000 - this.#offset),
      end: seconds(answer.end / 1000 - this.#offset),
      took: milliseconds(took),
      late: milliseconds(late)
    }
  }

  async measure(
    hash: BlockHash,
    inputs: readonly { readonly spec: TensorSpec; readonly dims: readonly number[] }[]
  ): Promise<Seconds> {
    await this.#loaded(hash)
    const madeUp = inputs.map(({ spec: { name, type }, dims }) => ({ name, type, dims }))
    const declared = this.#nominal.declared(hash)
    const job = { hash, inputs: madeUp, isWarmUp: declared !== undefined }
    const limit = this.#limit(MEASURED_RUNS * (declared ?? 0))
    const { least } = await this.#about(hash, this.#running().ask('measure', job, [], limit))
    if (declared !== undefined) return milliseconds(declared * this.#stretch)
    this.#nominal.measured(hash, madeUp, least)
    return milliseconds(least * this.#stretch)
  }

  async calibrate(): Promise<number> {
    if (this.#isCalibrated) return 1 / this.#stretch
    const least = await calibrateApart(this.#threads, this.#over.signal)
    return CALIBRATION_REFERENCE / seconds((least / 1000) * this.#stretch)
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

  /** @param nominal milliseconds that it should take */
  #limit(nominal: number): Seconds {
    return seconds(Math.max(this.#patience.least, (this.#patience.times * nominal) / 1000))
  }

  async #about<T>(hash: BlockHash, answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
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
    const lane = new LaneThread({ threads: this.#threads, group: this.#group }, dead => {
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

const nameOf = (hash: BlockHash): string => `block ${hash.slice(0, 12)}`
