import type { Clock } from '../core/clock.ts'
import type { BlockHash } from '../core/ids.ts'
import { Serial } from '../core/serial.ts'
import type { Tensor } from '../core/tensor.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { BlockRun, Engine, LoadedBlock } from '../runtime/ports/engine.ts'
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
  readonly #below: Engine
  readonly #clock: Clock
  readonly #isCalibrated: boolean
  readonly #isPaced: boolean
  readonly #nominal = new NominalTimes()
  readonly #lane = new Serial()
  readonly #over = new AbortController()
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
    return this.#lane.run(() => {
      if (work !== undefined) this.#nominal.declare(hash, work)
      return this.#below.load(hash, place, work)
    })
  }

  unload(hash: BlockHash): Promise<void> {
    return this.#lane.run(() => {
      this.#nominal.forget(hash)
      return this.#below.unload(hash)
    })
  }

  run(hash: BlockHash, inputs: readonly Tensor[], readySince?: Seconds, expected?: Seconds): Promise<BlockRun> {
    return this.#lane.run(async () => {
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
      await sleepUntil(this.#clock, deadline, this.#over.signal).catch(() => {}) // the end of the emulation
      const end = emulatedEnd(deadline, this.#clock.now())
      this.#freeSince = end
      const took = seconds(end - start)
      return { ...run, start, end, took, late: seconds(isDeclared ? Math.max(0, took - lasts) : 0) }
    })
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
