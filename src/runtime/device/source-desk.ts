import type { Clock } from '../../core/clock.ts'
import { deferred } from '../../core/deferred.ts'
import type { DeviceId } from '../../core/ids.ts'
import { InvariantError } from '../../core/invariant-error.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import type { SourcePort } from './source-port.ts'

export interface SourceDeskParts {
  readonly clock: Clock
  readonly guard: JobGuard
  /** Aborts when the device stops. */
  readonly signal: AbortSignal
  /** Whether so many devices are there, and what they are to carry is loaded or what is needed can be computed. */
  readonly mayBegin: (devices: number) => boolean
  /** They have waited for that for a while. */
  readonly waits: (devices: number) => void
}

interface Run {
  readonly source: SourcePort
  readonly stop: AbortController
  /** Since it has begun. Rejects for what is the user's to mend, and when the device stops. */
  over?: Promise<void>
  isOver: boolean
  failure?: unknown
}

/** How often it is looked whether they may begin. */
const TICK: Seconds = seconds(0.1)
/** Before it is said what they wait for. */
const PATIENCE: Seconds = seconds(2)

/** The sources of a device: each may come and go at any time, and runs by itself. */
export class SourceDesk {
  readonly #parts: SourceDeskParts
  readonly #runs = new Map<string, Run>()
  readonly #begun = deferred()
  #phase: 'new' | 'checked' | 'begun' = 'new'

  constructor(parts: SourceDeskParts) {
    this.#parts = parts
  }

  all(): readonly SourcePort[] {
    return [...this.#runs.values()].map(({ source }) => source)
  }

  /** Whether its sources run: those that come from now on begin at once. */
  get hasBegun(): boolean {
    return this.#phase === 'begun'
  }

  get(id: string): SourcePort | undefined {
    return this.#runs.get(id)?.source
  }

  /**
   * It is checked and begins when the others do; where they have, at once.
   * One of its id that is through makes room for it.
   * @throws UserError when there is one of its id, or what it is cannot be served; it is not here then
   */
  async add(source: SourcePort): Promise<void> {
    const { id } = source
    this.#parts.signal.throwIfAborted()
    if (this.#runs.get(id)?.isOver === false)
      throw new UserError(`source ${id} is here already; remove it first, or name this one otherwise`, {
        code: 'nameTaken',
        facts: { source: id }
      })
    const run: Run = { source, stop: new AbortController(), isOver: false }
    this.#runs.set(id, run)
    if (this.#phase === 'new') return
    try {
      await source.check()
    } catch (error) {
      if (this.#runs.get(id) === run) this.#runs.delete(id)
      throw error
    }
    if (this.#phase === 'begun' && this.#runs.get(id) === run && run.over === undefined)
      this.#run(run, signal => this.#joinIn(run, signal))
  }

  /**
   * What it has under way comes home within `patience`, or is let go.
   * @returns when it has ended: false where there was none of that id
   */
  async remove(id: string, patience: Seconds): Promise<boolean> {
    const run = this.#runs.get(id)
    if (run === undefined) return false
    await this.#drain(run, patience)
    if (this.#runs.get(id) !== run) return false // removed by another meanwhile
    this.#runs.delete(id)
    run.stop.abort(new Error(`source ${id} was removed`))
    await this.#parts.guard.watch(`the end of source ${id}`, run.source.stop())
    await run.over?.catch(() => {}) // whoever waits for it hears of it
    for (const job of jobsOf(id)) this.#parts.guard.succeeded(job) // what it failed at is nobody's trouble any more
    return true
  }

  /** What can be said against them is said before anything begins. @throws UserError */
  async check(): Promise<void> {
    for (const { source } of this.#runs.values()) await source.check()
    this.#phase = 'checked'
  }

  /** When so many devices are there and ready. @param ready called then @param since how long ago the run began, once it has */
  async begin(devices: number, ready: () => void, since: Promise<Seconds>): Promise<void> {
    try {
      await this.#untilReady(devices, this.#parts.signal)
      ready()
      const elapsed = await unlessAborted(since, this.#parts.signal)
      this.#phase = 'begun'
      for (const run of this.#runs.values()) this.#run(run, signal => run.source.run(signal, elapsed))
      this.#begun.resolve()
    } catch (error) {
      this.#begun.reject(error as Error)
      throw error
    }
  }

  /**
   * Resolves when every source that is here, or comes meanwhile, has all its results. Rejects at once when one is wrongly
   * used or the device stops; for what else has gone wrong with one, when the others are done.
   */
  async done(): Promise<void> {
    await this.#begun.promise
    const open = (): Run[] => [...this.#runs.values()].filter(({ isOver }) => !isOver)
    for (let runs = open(); runs.length > 0; runs = open()) await Promise.all(runs.map(({ over }) => over))
    for (const { failure } of this.#runs.values()) if (failure !== undefined) throw failure
  }

  tick(): void {
    for (const { source } of this.#runs.values()) this.#parts.guard.run(jobsOf(source.id)[1], () => source.tick())
  }

  deviceLost(peer: DeviceId): void {
    for (const { source } of this.#runs.values())
      this.#parts.guard.run(jobsOf(source.id)[2], () => source.deviceLost(peer))
  }

  async stop(): Promise<void> {
    const { guard } = this.#parts
    await Promise.all(this.all().map(source => guard.watch(`the end of source ${source.id}`, source.stop())))
  }

  /** It admits nothing more, and what it has under way comes home. */
  async #drain({ source }: Run, patience: Seconds): Promise<void> {
    const { clock, guard, signal } = this.#parts
    const end = clock.now() + patience
    if (clock.now() >= end) return
    await guard.watch(`the end of source ${source.id}`, source.stop())
    const isOwed = (): boolean => (guard.run(jobsOf(source.id)[1], () => source.status().inFlight) ?? 0) > 0
    while (isOwed() && clock.now() < end) await clock.sleep(TICK, { signal })
  }

  /** One that comes later begins when its data can be computed; its time begins then. */
  async #joinIn({ source }: Run, signal: AbortSignal): Promise<void> {
    await this.#untilReady(1, signal)
    await source.run(signal, seconds(0))
  }

  #run(run: Run, work: (signal: AbortSignal) => Promise<void>): void {
    if (run.over !== undefined) return
    run.over = this.#watch(run, work(AbortSignal.any([this.#parts.signal, run.stop.signal])))
    run.over.catch(() => {}) // whoever waits for it hears of it
  }

  async #watch(run: Run, work: Promise<void>): Promise<void> {
    const { guard, signal } = this.#parts
    try {
      await work
    } catch (error) {
      if (run.stop.signal.aborted) return
      const isToldByOthers = error instanceof UserError || signal.aborted
      if (isToldByOthers) throw error
      run.failure = error
      guard.failed(jobsOf(run.source.id)[0], error)
      if (error instanceof InvariantError) throw error
    }
    run.isOver = true
  }

  async #untilReady(devices: number, signal: AbortSignal): Promise<void> {
    const { clock, guard, mayBegin, waits } = this.#parts
    const patience = clock.now() + PATIENCE
    const isReady = (): boolean => guard.run('looking whether sources may begin', () => mayBegin(devices)) === true
    for (let said = false; !isReady(); await clock.sleep(TICK, { signal })) {
      if (said || clock.now() < patience || this.#runs.size === 0) continue
      said = true
      guard.run('saying what sources wait for', () => waits(devices))
    }
  }
}

/** What is done by a source and for it. */
const jobsOf = (id: string) => [`source ${id}`, `looking after source ${id}`, `sending again for source ${id}`] as const

const unlessAborted = async <T>(what: Promise<T>, signal: AbortSignal): Promise<T> => {
  const over = new AbortController()
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { signal: over.signal })
  })
  try {
    signal.throwIfAborted()
    return await Promise.race([what, aborted])
  } finally {
    over.abort()
  }
}
