import type { Dispatch } from '../cluster/ledger.ts'
import { OrphanWatch } from '../cluster/orphan-watch.ts'
import { missingBlock } from '../cluster/readiness.ts'
import { isStranded, longestExpected } from '../cluster/source-book.ts'
import { type Bytes, bytes, type Seconds, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import type { LiveTask } from '../scheduler/dispatch/live-task.ts'
import type { DeviceModel } from './device-model.ts'
import type { SimulationInput } from './simulation-input.ts'
import { SourceModel } from './source-model.ts'

export interface DataCareParts {
  readonly input: SimulationInput
  readonly world: World
  readonly devices: readonly DeviceModel[]
  readonly now: () => Seconds
  /** Something that the run waits for. */
  readonly schedule: (delay: number, action: () => void) => void
  /** What one device tells another, unless that is gone or another process when it comes. */
  readonly message: (from: number, to: number, arrive: () => void) => void
  /** Whether what is placed is loaded, as far as a device has heard. */
  readonly isReady: (device: number) => boolean
}

/** The sources: data are admitted, sent, sent again when they are lost, and come home. */
export class DataCare {
  readonly sources: readonly SourceModel[]
  /** By device. */
  readonly #sourcesOf: readonly (readonly SourceModel[])[]
  /** Data without a result that are not dropped. */
  left: number
  readonly #parts: DataCareParts
  /** Who has been gone for how long all devices know alike. */
  readonly #orphans: OrphanWatch
  /** Of all blocks of each model, and its largest activation. */
  readonly #costs: readonly { readonly work: Seconds; readonly largest: Bytes }[]

  constructor(parts: DataCareParts) {
    this.#parts = parts
    const { input, world, now } = parts
    this.#costs = input.models.map(({ work, activations }) => ({
      work: seconds(work.reduce((sum, time) => sum + time, 0)),
      largest: bytes(Math.max(...activations))
    }))
    this.sources = input.sources.map(
      (spec, index) =>
        new SourceModel(index, spec, {
          ...{ self: world.devices[spec.device]!.id, now, stretch: () => parts.devices[spec.device]!.stretch },
          ended: () => {
            this.left--
          }
        })
    )
    this.#sourcesOf = input.devices.map((_, n) => this.sources.filter(({ spec }) => spec.device === n))
    this.#orphans = new OrphanWatch({
      ...{ now, world },
      drop: home => {
        for (const { dispatcher } of parts.devices) dispatcher.cancel(task => task.home === home)
      }
    })
    this.left = input.sources.reduce((sum, { count }) => sum + count, 0)
  }

  start(): void {
    for (const source of this.sources) this.#admit(source)
  }

  sourceOf({ source }: { readonly source: string }): SourceModel {
    return this.sources[Number.parseInt(source, 10)]!
  }

  /** `device` has the task now. */
  custody({ source, datum, attempt }: LiveTask, device: number): void {
    this.sourceOf({ source }).book.custody({ datum, attempt }, this.#parts.world.devices[device]!.id)
  }

  /** It is home, with its result. */
  delivered(task: LiveTask): void {
    const source = this.sourceOf(task)
    const wasResent = source.book.ledger.attempts(task.datum) > 1
    if (!source.delivered(task)) return
    const isDuplicate = ({ source: id, datum }: LiveTask): boolean => id === task.source && datum === task.datum
    if (wasResent) this.#home(source).dispatcher.cancel(isDuplicate)
    this.#admit(source)
  }

  /** Device `n` is another process than before: so are its sources. */
  restart(n: number): void {
    for (const source of this.#sourcesOf[n]!) source.restart()
    this.begin()
  }

  /** Sources whose device is back begin when their data can be computed, or when all that is placed is loaded. To be called often. */
  begin(): void {
    const { world, isReady } = this.#parts
    for (const source of this.sources) {
      const { device: home, model } = source.spec
      if (source.hasBegun || !this.#home(source).up) continue
      if (!isReady(home) && missingBlock(world, model, home) !== undefined) continue
      source.begin()
      this.#admit(source)
    }
  }

  /** What the sources of a device have heard nothing of for too long goes out again; what cannot get any further from it goes back. */
  tick(self: number): void {
    const { world, devices, message } = this.#parts
    const { dispatcher } = devices[self]!
    this.#orphans.tick()
    for (const source of this.#sourcesOf[self]!) {
      const expected = longestExpected(world, source.book.ledger.window, this.#costs[source.spec.model]!)
      const isQueued = (datum: number): boolean =>
        dispatcher.has(task => task.source === source.id && task.datum === datum)
      for (const datum of source.book.overdue(expected, isQueued)) this.#submit(source, datum)
    }
    const stranded = dispatcher.waiting().flatMap(({ task }) => (isStranded(task, self) ? [task] : []))
    if (stranded.length === 0) return
    const gone = new Set(stranded)
    dispatcher.cancel(task => gone.has(task))
    for (const task of stranded) message(self, task.home, () => this.#lostOne(task, self, 'letGo'))
  }

  /** What device `n` had, as far as is known, and what others had just given it, goes out again. */
  lost(n: number): void {
    const { world, devices, message } = this.#parts
    for (const source of this.sources) {
      if (!this.#home(source).up) continue
      for (const datum of source.book.ledger.deviceLost(world.devices[n]!.id)) this.#submit(source, datum)
    }
    for (const [d, { up, handovers }] of devices.entries()) {
      if (!up) continue
      for (const handover of handovers.takeAll(n)) {
        if (handover.home === d) this.#lostOne(handover, n)
        else message(d, handover.home, () => this.#lostOne(handover, n))
      }
    }
  }

  #lostOne(dispatch: Dispatch & { readonly source: string }, n: number, how?: 'letGo'): void {
    const source = this.sourceOf(dispatch)
    const { datum, attempt } = dispatch
    const pause = source.book.lost({ datum, attempt }, this.#parts.world.devices[n]!.id, how)
    if (pause === undefined) return
    if (pause > 0) this.#laterIn(source, pause, () => this.#submit(source, datum))
    else this.#submit(source, datum)
  }

  /** Unless its device's process has ended by then. */
  #laterIn(source: SourceModel, delay: Seconds, action: () => void): void {
    const { life } = this.#home(source)
    this.#parts.schedule(delay, () => {
      if (this.#home(source).life === life) action()
    })
  }

  /** Admit what the window, the arrivals and the source's terms allow now; come back when they allow more. */
  #admit(source: SourceModel): void {
    const home = this.#home(source)
    while (home.up && !home.leaving && !source.awaited && source.mayAdmit) {
      const datum = source.admit()
      if (datum !== undefined) {
        this.#cancelInTime(source)
        this.#submit(source, datum)
        continue
      }
      const { nextAt } = source
      if (nextAt === undefined) return
      source.awaited = true
      this.#laterIn(source, seconds(nextAt - this.#parts.now()), () => {
        source.awaited = false
        this.#admit(source)
      })
    }
  }

  /** At the deadline of one that is under way now. */
  #cancelInTime(source: SourceModel): void {
    const { nextDeadline } = source.book
    if (nextDeadline === undefined || source.cancelsAt === nextDeadline) return
    source.cancelsAt = nextDeadline
    this.#laterIn(source, seconds(nextDeadline - this.#parts.now()), () => {
      const late = new Set(source.cancelLate())
      this.#home(source).dispatcher.cancel(task => task.source === source.id && late.has(task.datum))
      this.#cancelInTime(source)
      this.#admit(source)
    })
  }

  #submit(source: SourceModel, datum: number): void {
    const task = source.task(datum)
    if (task !== undefined) this.#home(source).dispatcher.submit(task)
  }

  #home({ spec }: SourceModel): DeviceModel {
    return this.#parts.devices[spec.device]!
  }
}
