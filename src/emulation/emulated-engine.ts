import type { Clock } from '../core/clock.ts'
import { Halt } from '../core/halt.ts'
import type { BlockHash } from '../core/ids.ts'
import { Serial } from '../core/serial.ts'
import type { Tensor } from '../core/tensor.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { BlockRun, BlockVisit, Engine, LoadedBlock, RunTimes, VisitedBlock } from '../runtime/ports/engine.ts'
import { sleepUntil } from '../runtime/sleep-until.ts'
import { emulatedEnd, emulatedStart } from './emulated-time.ts'
import { NominalTimes } from './nominal-times.ts'

export interface EmulatedEngineOptions {
  /** Relative to the engine below: 0.25 makes every run last four times as long, and use a quarter of the processor. @default 1 */
  readonly speed?: number
  /** `speed` is relative to times that are declared: nothing is calibrated. @default false */
  readonly isCalibrated?: boolean
  /** False: this machine has that speed, by a CPU quota for example; prices count with it, runs are not slowed. @default true */
  readonly isPaced?: boolean
}

/**
 * Another device's engine, on the one below: its runs last as long as the other's would, by times that were declared, or that
 * were measured below and are stretched. One run at a time, and between two of them the engine below has nothing to do.
 * A faster device cannot be emulated; what computes for longer than the other would is late.
 */
export class EmulatedEngine implements Engine {
  readonly providerOf: Engine['providerOf']
  readonly visit: Engine['visit']
  readonly #below: Engine
  readonly #clock: Clock
  readonly #isCalibrated: boolean
  readonly #isPaced: boolean
  readonly #nominal = new NominalTimes()
  readonly #lane = new Serial()
  readonly #over = new AbortController()
  /** Of each block what it takes, by name. */
  readonly #inputs = new Map<BlockHash, ReadonlySet<string>>()
  /** Ends what a visit waits for. */
  #waiting = new AbortController()
  /** A run lasts this many times its own time. */
  #stretch: number
  /** When the last run ended. */
  #freeSince: Seconds = seconds(0)

  /** @param clock of the engine below @throws RangeError when the speed is out of range */
  constructor(
    below: Engine,
    clock: Clock,
    { speed = 1, isCalibrated = false, isPaced = true }: EmulatedEngineOptions = {}
  ) {
    this.#below = below
    this.providerOf = below.providerOf?.bind(below)
    this.visit = below.visit && ((...visit) => this.#lane.run(() => this.#visit(...visit)))
    this.#clock = clock
    this.#isCalibrated = isCalibrated
    this.#isPaced = isPaced
    this.#stretch = stretchOf(speed)
  }

  /** From the next run on. @throws RangeError unless above 0 */
  setSpeed(speed: number): void {
    this.#stretch = stretchOf(speed)
  }

  get abandoned(): number {
    return this.#below.abandoned ?? 0
  }

  /** @param work seconds of one run at speed 1: a run lasts work / speed */
  load(hash: BlockHash, place: string, work?: Seconds): Promise<LoadedBlock> {
    return this.#lane.run(async () => {
      if (work !== undefined) this.#nominal.declare(hash, work)
      const loaded = await this.#below.load(hash, place, work)
      this.#inputs.set(hash, new Set(loaded.inputs.map(({ name }) => name)))
      return loaded
    })
  }

  unload(hash: BlockHash): Promise<void> {
    return this.#lane.run(() => {
      this.#nominal.forget(hash)
      this.#inputs.delete(hash)
      return this.#below.unload(hash)
    })
  }

  run(...run: Parameters<Engine['run']>): Promise<BlockRun> {
    return this.#lane.run(() => this.#run(...run))
  }

  async #run(...[hash, inputs, readySince, expected]: Parameters<Engine['run']>): Promise<BlockRun> {
    const nominal = this.#nominal.of(hash, inputs)
    const isDeclared = this.#nominal.declared(hash) !== undefined
    const start = emulatedStart(this.#freeSince, readySince, this.#clock.now())
    const run = await this.#below.run(hash, inputs, readySince, expected)
    this.#nominal.seen(hash, run.inputs, run.own)
    if (!this.#isPaced || (this.#stretch === 1 && !isDeclared)) {
      this.#freeSince = run.end
      return run
    }
    const lasts = (nominal ?? run.own) * this.#stretch
    // A run that computes longer than its device would is late: that is more than a turn.
    const deadline = seconds(start + Math.max(run.own, lasts))
    await this.#until(deadline, this.#over.signal)
    const end = emulatedEnd(deadline, this.#clock.now())
    this.#freeSince = end
    const took = seconds(end - start)
    return { ...run, start, end, took, late: seconds(isDeclared ? Math.max(0, took - lasts) : 0) }
  }

  /** Below, all run at once. Of blocks whose time is not declared only the first is visited: what the others are given is not known. */
  async #visit(...[blocks, inputs, halt, readySince]: Parameters<NonNullable<Engine['visit']>>): Promise<BlockVisit> {
    const works = blocks.map(({ hash }) => this.#nominal.declared(hash))
    if (!this.#isPaced || (this.#stretch === 1 && works.every(work => work === undefined))) {
      const visit = await this.#below.visit!(blocks, inputs, halt)
      this.#freeSince = visit.runs.at(-1)?.end ?? this.#freeSince
      return visit
    }
    const lasts = works.flatMap(work => (work === undefined ? [] : [work * this.#stretch]))
    if (lasts.length === blocks.length) return this.#visitPaced(blocks, inputs, halt, lasts, readySince)
    const [{ hash, expected }] = blocks as readonly [VisitedBlock]
    const isOwn = ({ name }: Tensor): boolean => this.#inputs.get(hash)?.has(name) !== false
    const { outputs, inputs: returned, ...times } = await this.#run(hash, inputs.filter(isOwn), readySince, expected)
    return { runs: [times], outputs, inputs: [...returned, ...inputs.filter(input => !isOwn(input))] }
  }

  /**
   * Who halts it does so while it is waited: then those that would have run until then run once more, by themselves, for what they
   * make.
   * @param lasts of each block
   */
  async #visitPaced(
    blocks: readonly VisitedBlock[],
    inputs: readonly Tensor[],
    halt: Halt,
    lasts: readonly number[],
    readySince: Seconds | undefined
  ): Promise<BlockVisit> {
    const start = emulatedStart(this.#freeSince, readySince, this.#clock.now())
    this.#waiting = new AbortController()
    let askedAt = Number.POSITIVE_INFINITY
    halt.onAsk(() => {
      askedAt = this.#clock.now()
      this.#waiting.abort()
    })
    const all = await this.#below.visit!(blocks, inputs, new Halt())
    const ends: Seconds[] = []
    for (const [i, { own }] of all.runs.entries()) ends.push(seconds((ends.at(-1) ?? start) + Math.max(own, lasts[i]!)))
    if (!this.#over.signal.aborted) await this.#until(ends.at(-1) ?? start, this.#waiting.signal)
    const count = 1 + ends.slice(0, -1).filter(end => end < askedAt).length
    const visit = count < ends.length ? await this.#below.visit!(blocks.slice(0, count), all.inputs, new Halt()) : all
    await this.#until(ends[count - 1] ?? start, this.#over.signal)
    const runs = visit.runs.map((run, i): RunTimes => {
      const from = ends[i - 1] ?? start
      const end = i < count - 1 ? ends[i]! : emulatedEnd(ends[i]!, this.#clock.now())
      this.#freeSince = end
      const took = seconds(end - from)
      return { ...run, start: from, end, took, late: seconds(Math.max(0, took - lasts[i]!)) }
    })
    return { ...visit, runs }
  }

  #until(instant: Seconds, signal: AbortSignal): Promise<void> {
    return sleepUntil(this.#clock, instant, signal).catch(() => {}) // halted, or the end of the emulation
  }

  /** This is also what is stretched: a run lasts max(its own time, measured / speed). @returns seconds at this device's speed */
  measure(...[hash, inputs, isReference]: Parameters<Engine['measure']>): Promise<Seconds> {
    return this.#lane.run(async () => {
      const least = await this.#below.measure(hash, inputs, isReference)
      const shaped = inputs.map(({ spec: { name }, dims }) => ({ name, dims }))
      if (this.#nominal.declared(hash) === undefined) this.#nominal.measured(hash, shaped, least)
      return seconds(least * this.#stretch)
    })
  }

  async calibrate(): Promise<number> {
    return (this.#isCalibrated ? 1 : await this.#below.calibrate()) / this.#stretch
  }

  stop(): Promise<void> {
    this.#over.abort(new Error('the engine has stopped'))
    this.#waiting.abort()
    return this.#below.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

const stretchOf = (speed: number): number => {
  if (!(speed > 0 && Number.isFinite(speed))) throw new RangeError(`speed must be above 0, got ${speed}`)
  return Math.max(1, 1 / speed)
}
