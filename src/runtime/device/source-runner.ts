import { longestExpected, SourceBook } from '../../cluster/source-book.ts'
import type { WindowStretch } from '../../cluster/window-stretch.ts'
import { PATIENT_TERMS } from '../../core/admission-terms.ts'
import type { Clock } from '../../core/clock.ts'
import { deferred } from '../../core/deferred.ts'
import { describeFileError } from '../../core/describe-file-error.ts'
import type { DropReason } from '../../core/drop-reason.ts'
import type { FailReason } from '../../core/fail-reason.ts'
import { type DeviceId, type ModelId, type SourceId, sourceId } from '../../core/ids.ts'
import { InvariantError } from '../../core/invariant-error.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import type { Arrivals } from '../../core/scenario.ts'
import type { Tensor } from '../../core/tensor.ts'
import type { TraceContext } from '../../core/trace-context.ts'
import { bytes, type Seconds, seconds } from '../../core/units.ts'
import type { Step } from '../../scheduler/policy.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import type { SetAside } from '../cluster/distrust.ts'
import type { DeviceTask } from '../dispatch/device-task.ts'
import { decodeTensor } from '../dispatch/tensor-codec.ts'
import type { DataPort, Item } from '../ports/data-port.ts'
import type { DataTracer } from '../ports/data-tracer.ts'
import type { DeviceObserver } from '../ports/device-observer.ts'
import { NotWritten } from '../ports/not-written.ts'
import type { Sink } from '../ports/sink.ts'
import { isDropped, type SinkEntry } from '../ports/sink-entry.ts'
import type { ItemStream, NumberedItem, SourceData } from '../ports/source-data.ts'
import { Appeals } from './appeals.ts'
import { BadItemLog } from './bad-item-log.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import { describeSetAside } from './describe-set-aside.ts'
import { describeSilence } from './describe-silence.ts'
import type { DeviceReport } from './device-status.ts'
import type { BlockFailure } from './is-proven.ts'
import { ItemReader } from './item-reader.ts'
import type { LineFacts } from './line-facts.ts'
import { LiveItems } from './live-items.ts'
import type { LogLevel } from './log-level.ts'
import { mayPass } from './may-pass.ts'
import { RecentRate } from './recent-rate.ts'
import { RecentTimes } from './recent-times.ts'
import { type Served, ServedModel } from './served-model.ts'
import type { DatumRef, SourcePort } from './source-port.ts'
import type { SourceTerms } from './source-terms.ts'
import { wayPast } from './way-past.ts'

/** What a source is made of: its terms, its items, where results go, and its device. */
export interface SourceRunnerParts {
  readonly spec: SourceTerms
  readonly deviceName: string
  readonly clock: Clock
  /** Since 1970, to compare with the times of files. */
  readonly wallTime: () => Seconds
  readonly view: ClusterView
  readonly sink: Sink
  /** Told apart from sources of its name that this device had before: data that come from memory are numbered anew. */
  readonly life?: string
  /** The items with their numbers; of a folder, those that have no line in the sink. @param port one that `createPort` made */
  openItems(port: DataPort): Promise<SourceData>
  /** Whether the folder's items are such as the port reads, before the first. @throws UserError when none is */
  checkItems?(port: DataPort): Promise<void>
  /** Made when the model is known. */
  readonly createPort: (manifest: ModelManifest) => DataPort
  /** Seconds after the start at which datum i is available; undefined for a saturated source. */
  readonly availableAt: ((datum: number) => Seconds) | undefined
  readonly breaker: CircuitBreaker
  readonly submit: (task: DeviceTask) => void
  /** What automatic windows are stretched by, its device's. Default: its own. */
  readonly stretch?: WindowStretch
  /** Whether a datum waits on this device. */
  readonly isHere: (source: string, datum: number) => boolean
  /** The breaker has set somebody aside. */
  readonly setAside: () => void
  readonly cancel: (source: string, datum: number) => void
  /** These devices have as many data of this source as they are trusted with. @default nobody minds */
  readonly full?: (source: SourceId, devices: ReadonlySet<DeviceId>) => void
  /** Tell another device that a datum is not wanted any more, or only where it is begun. @default nobody is told */
  readonly withdraw?: (ref: DatumRef, device: DeviceId, unlessBegun: boolean) => void
  /** Told last of all of a datum: `entry` is in the sink, and nothing is owed any longer. */
  readonly settled?: (datum: number, item: Item, entry: SinkEntry) => void
  /** Its items come as they come, and do not come again: one that cannot be read has failed. */
  readonly isLive?: boolean
  /** Its data are requests, and no sink says what became of them. @default false */
  readonly isAsked?: boolean
  /** One of many that the placement knows as one: it asks for nothing of its own. @default false */
  readonly isUncounted?: boolean
  readonly observe?: DeviceObserver
  /** @default no datum is followed */
  readonly tracer?: DataTracer | undefined
  readonly say: (text: string, level?: LogLevel, facts?: LineFacts) => void
}

const TICK: Seconds = seconds(0.05)
/** What was wrong may pass: before it is tried again, each time twice as long. */
const RETRY_PAUSE: Seconds = seconds(0.25)
const LONGEST_PAUSE: Seconds = seconds(5)
/** How often it is looked for items that were put aside and are to be read again. */
const AGAIN_TICK: Seconds = seconds(0.1)
/** How often it is asked whether it is time to look at those that were no items or given up. */
const LOOK_TICK: Seconds = seconds(0.5)

/** Data in a row that do not come back from a device before it is set aside. */
const UNRETURNED = 3

const NOBODY: ReadonlySet<DeviceId> = new Set()

interface Flight {
  readonly item: Item
  readonly availableAt: Seconds
  /** How old it is among the data of others counts from here. */
  readonly since: Seconds
  readonly trace: TraceContext | undefined
}

/** An item that is being read as this model wants it. */
interface Reading {
  readonly served: Served
  readonly tensors: Promise<readonly Tensor[] | undefined>
}

/**
 * One source: reads its items in order, admits them as window and arrivals allow, keeps them in the ledger until their
 * result is in the sink, and sends them out again when they are lost. Items are read again for that: activations are
 * not kept at home.
 */
export class SourceRunner implements SourcePort {
  readonly id: SourceId
  readonly arrivals: Arrivals
  readonly #parts: SourceRunnerParts
  readonly #book: SourceBook
  readonly #flights = new Map<number, Flight>()
  readonly #times = new RecentTimes()
  /** Of the model that is served now. */
  #appeals: Appeals
  #state: 'waiting' | 'running' | 'done' | 'stopped' | 'failed' = 'waiting'
  /** Rejects with what the run cannot go on after. */
  readonly #broken = deferred<never>()
  /** Why it has failed; '' where it has not. */
  #failure = ''
  readonly #model: ServedModel
  readonly #badItems: BadItemLog
  #reader: ItemReader | undefined
  /** What items come from that come by themselves. */
  #stream: ItemStream | undefined
  #items: SourceData = { todo: [], total: 0, away: [] }
  /** Data of earlier processes, where items come by themselves: they are not among those of this one. */
  #before = 0
  readonly #droppedBy = new Map<DropReason, number>()
  #startedAt: Seconds = seconds(0)
  readonly #rate = new RecentRate()
  /** Why results that are files are not written now; '' where they are. */
  #writeTrouble = ''
  #resending = new Set<number>()
  /** Items that are none or are dropped, which is not in the sink yet. */
  #unsafe = 0
  /** To be called when something changes. */
  #pausing: (() => void)[] = []
  #lastComplaint = ''
  #weight: number

  constructor(parts: SourceRunnerParts) {
    this.#parts = parts
    this.#weight = parts.spec.weight
    this.id = sourceIdOf(parts.spec.name, parts.deviceName, parts.life)
    this.arrivals = parts.spec.arrivals
    const { window, admission: terms = PATIENT_TERMS } = parts.spec
    this.#book = new SourceBook({
      ...{ self: parts.view.self, now: () => parts.clock.now(), window, terms },
      ...(parts.stretch === undefined ? {} : { stretch: parts.stretch }),
      unreturned: (device, inARow) => this.#unreturned(device, inARow)
    })
    this.#appeals = new Appeals(parts)
    const say = (text: string, level?: 'warn'): void => parts.say(`source ${parts.spec.name}: ${text}`, level)
    this.#badItems = new BadItemLog(parts.clock, say)
    this.#model = new ServedModel({ ...parts, name: parts.spec.model, say })
  }

  get isUncounted(): boolean {
    return this.#parts.isUncounted === true
  }

  get modelId(): ModelId | undefined {
    return this.#model.isThere ? this.#model.served?.manifest.id : undefined
  }

  /** Where the model is known already, what can be said against this source is said now. @throws UserError */
  async check(): Promise<void> {
    if (!this.#model.isThere) this.#model.look()
    const { served } = this.#model
    if (this.#isChecked || served === undefined) return
    this.#isChecked = true
    await this.#parts.checkItems?.(served.port)
  }
  #isChecked = false

  async run(signal: AbortSignal, elapsed: Seconds): Promise<void> {
    const over = new AbortController()
    try {
      await Promise.race([this.#broken.promise, this.#run(AbortSignal.any([signal, over.signal]), elapsed)])
    } catch (error) {
      if (!signal.aborted) {
        this.#state = 'failed'
        this.#failure = error instanceof Error ? error.message : String(error)
      }
      throw error
    } finally {
      this.#tellFull()
      over.abort()
    }
  }

  async #run(signal: AbortSignal, elapsed: Seconds): Promise<void> {
    const begun = this.#parts.clock.now() - elapsed
    await this.#findModel(signal)
    await this.check()
    const { clock, wallTime, spec, say, isLive } = this.#parts
    const { patience } = spec
    const tell = (text: string, level?: 'warn'): void => say(`source ${spec.name}: ${text}`, level)
    this.#reader = new ItemReader({ clock, wallTime, patience, isLive, say: tell })
    if (isLive) this.#reader.lastWasRead() // its patience has an end from the first
    this.#items = await this.#parts.openItems(this.#model.served!.port)
    if (this.#parts.isLive) this.#before = this.#outcomes()
    const wait = seconds(begun + this.#parts.spec.start - this.#parts.clock.now())
    if (wait > 0) await this.#parts.clock.sleep(wait, { signal })
    this.#startedAt = this.#parts.clock.now()
    for (const numbered of this.#items.away) this.#reader.expect(numbered)
    this.#state = 'running'
    const over = new AbortController()
    try {
      const either = AbortSignal.any([signal, over.signal])
      await Promise.race([this.#readAll(signal), this.#readAgain(either), this.#lookAgain(either)])
    } finally {
      over.abort()
    }
  }

  /** Every item in its turn, then whatever is owed. */
  async #readAll(signal: AbortSignal): Promise<void> {
    const { todo } = this.#items
    const hasRead = await ('length' in todo ? this.#readList(todo, signal) : this.#readStream(todo, signal))
    if (!hasRead) return
    this.#reader!.lastWasRead()
    const waits = (): boolean => this.#state === 'running' && this.#reader!.waiting > 0
    const isOwed = (): boolean => this.#book.ledger.counts().outstanding > 0 || this.#unsafe > 0 || waits()
    do {
      while (isOwed()) await this.#pause(signal)
    } while ((this.#state === 'running' && (await this.#reader!.look(this.#model.served!.port, true))) || isOwed())
    if (this.#reader!.waiting > 0) return // stopped before they could be read
    this.#state = 'done'
    this.#badItems.tick(true)
    const { givenUp } = this.#reader!
    if (givenUp > 0)
      this.#parts.say(
        `source ${this.#parts.spec.name}: ${givenUp} items could not be read; the next start tries them again`
      )
  }

  /** @returns false when it was stopped before the last */
  async #readList(list: readonly NumberedItem[], signal: AbortSignal): Promise<boolean> {
    const { drop, rate } = this.#terms
    if ((this.#parts.availableAt !== undefined && drop !== 'none') || rate < Number.POSITIVE_INFINITY)
      return this.#readStream(this.#arriving(list, signal), signal)
    let ahead: Reading | undefined
    for (const [i, numbered] of list.entries()) {
      const turn = await this.#turn(i, signal)
      if (turn === 'stopped') return false
      await this.#readAndAdmit(numbered, ahead, signal, () => [this.#due(i), turn === 'waitedForIt'])
      ahead = this.#readAhead(list[i + 1])
    }
    return true
  }

  /** Each is asked for when there is room for it, not before: until then it may be dropped. @returns as `#readList` */
  async #readStream(stream: ItemStream, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#parts
    this.#stream = stream
    stream.expects = () => this.#book.expects
    const items = stream[Symbol.asyncIterator]()
    try {
      while (await this.#hasRoom(signal)) {
        const asked = clock.now()
        const { value, done } = await items.next()
        if (done) return true
        const { since } = value
        await this.#readAndAdmit(value, undefined, signal, () => [since ?? clock.now(), (since ?? 0) > asked])
      }
    } finally {
      await items.return?.()
    }
    return false
  }

  /** Items that become available one after the other, whether there is room for them or not. */
  #arriving(list: readonly NumberedItem[], signal: AbortSignal): ItemStream {
    const { clock } = this.#parts
    let i = 0
    const live = new LiveItems({
      ...{ terms: this.#terms, clock, number: () => list[i]!.datum },
      dropped: (numbered, reason) => this.drop(numbered, reason)
    })
    const arrive = async (): Promise<void> => {
      for (; i < list.length && !live.ended; i++) {
        const due = this.#due(i)
        while (due > clock.now()) await clock.sleep(seconds(due - clock.now()), { signal })
        if (this.#terms.drop === 'none') await live.offer(list[i]!.item)
        else live.put(list[i]!.item, due)
      }
      live.end()
    }
    arrive().catch(() => live.close()) // it is being stopped
    return live
  }

  /** What was put aside because it was away or not whole. Ends only by rejecting, when `signal` aborts. */
  async #readAgain(signal: AbortSignal): Promise<never> {
    for (;;) {
      const next = this.#reader!.due()
      const isOwed = next !== undefined && this.#flights.has(next.datum)
      if (next === undefined || !this.#model.isThere || !(isOwed || this.#book.ledger.room > 0))
        await this.#parts.clock.sleep(AGAIN_TICK, { signal })
      else if (isOwed) await this.#readAndDispatch(next)
      else await this.#readAndAdmit(next, undefined, signal, () => [this.#parts.clock.now(), false])
    }
  }

  /** Whether what was no item or given up has changed. Ends as `#readAgain` does. */
  async #lookAgain(signal: AbortSignal): Promise<never> {
    for (;;) {
      await this.#parts.clock.sleep(LOOK_TICK, { signal })
      await this.#reader!.look(this.#model.served!.port)
    }
  }

  delivered(task: DeviceTask): void {
    const { datum } = task
    const { served } = this.#model
    if (served === undefined || task.modelId !== served.manifest.id) return // of the model before: it is computed anew
    const holders = this.#book.ledger.holders(datum)
    const now = this.#parts.clock.now()
    const tensors = this.#decoded(task)
    if (tensors === undefined || this.#book.result(task) !== 'first') return
    this.#reader?.forget(datum)
    this.#acquit(this.#appeals.computed(datum, task.modelId, holders, now))
    this.#parts.cancel(this.id, task.datum)
    this.#tellFull()
    this.#wake() // there is room, whenever it is on the disk
    this.#endIfItFails(this.#record(task, tensors, served))
  }

  /** What goes on by itself. */
  #endIfItFails(work: Promise<void>): void {
    work.catch(error => this.#broken.reject(error))
  }

  /** What has come home as a result and is none is a failure of whoever sent it. */
  #decoded({ datum, attempt, tensors, sentBy, done }: DeviceTask): readonly Tensor[] | undefined {
    try {
      return tensors.map(decodeTensor)
    } catch (error) {
      const device = sentBy ?? this.#parts.view.self
      const because = `what came home is no result: ${(error as Error).message}`
      this.failed({ source: this.id, datum, attempt }, { device, block: Math.max(0, done - 1), because })
      return undefined
    }
  }

  given(ref: DatumRef, device: DeviceId): void {
    this.#book.given(ref, device)
    this.#tellFull()
  }

  notTaken(ref: DatumRef): void {
    this.#book.notTaken(ref)
    this.#tellFull()
  }

  /** Whoever has as much as it is trusted with is left alone, where others can compute it. */
  #tellFull(): void {
    const full = this.#state === 'running' ? this.#book.full() : NOBODY
    if (full.size === this.#full.size && [...full].every(device => this.#full.has(device))) return
    this.#full = full
    this.#parts.full?.(this.id, full)
  }
  #full: ReadonlySet<DeviceId> = NOBODY

  custody(ref: DatumRef, device: DeviceId, done?: number): void {
    // It was on its way there when it was let go.
    if (!this.#flights.has(ref.datum)) this.#parts.withdraw?.(ref, device, false)
    this.#book.custody(ref, device, done)
    this.#tellFull()
  }

  lost(ref: DatumRef, device: DeviceId, how?: 'letGo'): void {
    const pause = this.#book.lost(ref, device, how)
    if (pause === undefined) return
    if (pause > 0) this.#resendAfter(ref.datum, pause)
    else this.#resend(ref.datum)
  }

  failed(ref: DatumRef, told: BlockFailure): void {
    if (!this.#book.ledger.cameBack(ref)) return
    const { datum } = ref
    const { view, clock } = this.#parts
    const flight = this.#flights.get(datum)
    const { id, blocks } = this.#model.served!.manifest
    // Of a block that there is not, nobody else could try it.
    const failure = { ...told, block: Math.min(told.block, blocks.length - 1) }
    const verdict = this.#appeals.failed(datum, id, failure, clock.now())
    const what = `${flight?.item.name}: ${failure.because} (block ${failure.block} on ${view.nameOf(failure.device)})`
    this.#complain(`${what}${verdict.kind === 'givenUp' ? '; given up' : '; trying again'}`, flight)
    if (verdict.kind === 'again') {
      if (verdict.setAside !== undefined) this.#acquit([verdict.setAside])
      this.#resendAfter(datum, verdict.after)
    } else if (this.#book.ledger.fail(datum, verdict.cause)) {
      this.#endIfItFails(this.#recordFailure(datum, verdict.cause, 'computation'))
    }
  }

  /** It is left alone for a while, where others can compute what it does not return. */
  #unreturned(device: DeviceId, inARow: number): void {
    const model = this.#model.served?.manifest.id
    if (model === undefined || inARow < UNRETURNED) return
    const { breaker, clock } = this.#parts
    const setAside = breaker.swallows(device, model, `${inARow} data in a row did not come back from it`, clock.now())
    if (setAside !== undefined) this.#acquit([setAside])
  }

  /** The failures were the devices', not the data's. */
  #acquit(setAside: readonly SetAside[]): void {
    if (setAside.length === 0) return
    const { view, clock, say } = this.#parts
    for (const one of setAside) say(describeSetAside(one, view, clock.now()), 'warn')
    this.#parts.setAside()
  }

  deviceLost(device: DeviceId): void {
    for (const datum of this.#book.ledger.deviceLost(device)) this.#resend(datum)
  }

  /** It is let go before it was admitted. Resolves when that is in the sink. */
  async drop({ datum, item }: NumberedItem, reason: DropReason): Promise<void> {
    await this.#outcome(item, { source: this.id, datum, item: item.name, dropped: true, reason })
  }

  /**
   * It is under way, and is not wanted any more.
   * @returns false where it is not under way: it has its outcome, or has not been admitted
   */
  letGo(datum: number, reason: DropReason): boolean {
    const { ledger } = this.#book
    if (!this.#flights.has(datum)) return false
    const others = this.#othersWith(datum)
    if (!ledger.drop(datum)) return false
    this.#withdraw(datum, others, false)
    this.#dropAdmitted(datum, reason)
    return true
  }

  /** Another device that has it gives it back, unless it has begun with it: `lost` is told of that. */
  recallUnbegun(datum: number): void {
    this.#withdraw(datum, this.#othersWith(datum), true)
  }

  #othersWith(datum: number): readonly DeviceId[] {
    const { self } = this.#parts.view
    return [...this.#book.ledger.holders(datum)].filter(device => device !== self)
  }

  #withdraw(datum: number, devices: readonly DeviceId[], unlessBegun: boolean): void {
    const ref = { source: this.id, datum, attempt: this.#book.ledger.attempts(datum) }
    for (const device of devices) this.#parts.withdraw?.(ref, device, unlessBegun)
  }

  /** In the sink. */
  #outcomes(): number {
    const { results, failed, dropped } = this.#parts.sink.counts(this.id)
    return results + failed + dropped
  }

  weigh(weight: number): void {
    this.#weight = weight
  }

  tick(): void {
    this.#lookAtModel()
    this.#badItems.tick()
    this.#stream?.tick?.()
    this.#tellFull()
    if (this.#state !== 'running') return
    for (const datum of this.#book.tooLate()) this.#dropAdmitted(datum, 'deadline')
    const { view, isHere } = this.#parts
    const { work = 0, manifest } = this.#model.served ?? {}
    const largest = bytes((manifest?.activations ?? []).reduce((most, each) => Math.max(most, each.bytes), 0))
    const expected = longestExpected(view.world, this.#book.ledger.window, { work: seconds(work), largest })
    for (const datum of this.#book.overdue(expected, waiting => isHere(this.id, waiting))) this.#resend(datum)
  }

  status(): DeviceReport['sources'][number] {
    const { spec, deviceName, sink, clock, isLive, isAsked = false } = this.#parts
    const { outstanding, failed, resent, duplicates } = this.#book.ledger.counts()
    const { results, failed: failedInAll, noItems, dropped } = sink.counts(this.id)
    return {
      name: spec.name,
      device: deviceName,
      model: this.#model.name,
      state: this.#stateNow(),
      because: this.#because(),
      isAsked,
      available: this.#before + this.#items.total,
      admitted: results + outstanding + failedInAll + dropped,
      completed: results,
      failed: failedInAll,
      noItems: isLive ? 0 : noItems,
      dropped,
      droppedBy: Object.fromEntries(this.#droppedBy),
      unavailable: (this.#reader?.waiting ?? 0) + (this.#reader?.givenUp ?? 0),
      inFlight: outstanding,
      window: this.#book.ledger.window,
      weight: this.#weight,
      deliveries: [...(sink.deliveries?.() ?? [])],
      lost: failed,
      duplicates: duplicates,
      resent,
      rate: this.#rate.at(clock.now(), this.#times.count),
      inferenceTime: this.#times.summary()
    }
  }

  /** What holds it up. */
  #because(): string {
    const { sink, spec, view } = this.#parts
    const { because } = this.#model
    const state = sink.state()
    if (this.#state === 'failed') return this.#failure
    if (state.kind === 'stuck') return `${sink.name}: ${state.because}; tried again, nothing is lost`
    if (this.#writeTrouble !== '') return this.#writeTrouble
    if (this.#state === 'waiting' && spec.model !== undefined && view.manifestNamed(spec.model) === undefined)
      return this.#model.refusal || `waits for the model "${spec.model}": no device has it yet`
    if (this.#state !== 'running') return ''
    return because || describeSilence(this.#book.silent(), this.#model.served?.manifest, view)
  }

  async stop(): Promise<void> {
    if (this.#state !== 'done' && this.#state !== 'failed') this.#state = 'stopped'
    this.#stream?.close?.()
    this.#tellFull()
    this.#wake()
  }

  #stateNow(): string {
    if (this.#state !== 'failed' && this.#parts.sink.state().kind === 'stuck') return 'sink stuck'
    return this.#state === 'running' ? this.#model.waitsFor || 'running' : this.#state
  }

  async #findModel(signal: AbortSignal): Promise<void> {
    const { spec, clock, say } = this.#parts
    for (let said = false; !this.#model.isThere; said = true) {
      this.#model.look()
      if (this.#model.isThere) return
      const what = spec.model === undefined ? 'a model' : `the model "${spec.model}"`
      if (!said) say(`source ${spec.name} waits for ${what}: ${this.#model.refusal || 'no device has it yet'}`)
      await clock.sleep(TICK, { signal })
    }
  }

  /** Where the name means another model, or one again, what has no result goes out with that one. */
  #lookAtModel(): void {
    if (this.#state !== 'running') return
    const change = this.#model.look()
    if (change === 'none') return
    for (const datum of this.#book.ledger.recall()) this.#parts.cancel(this.id, datum)
    if (change === 'replaced') {
      // What the model before took, and failed at, says nothing of this one.
      this.#book.beginAnew()
      this.#appeals = new Appeals(this.#parts)
    }
    if (change !== 'left') for (const datum of this.#book.ledger.toSend()) this.#resend(datum)
    this.#wake()
  }

  /** Wait until datum i is available and the window has room. */
  async #turn(i: number, signal: AbortSignal): Promise<'waitedForIt' | 'itWasThere' | 'stopped'> {
    const { clock, availableAt } = this.#parts
    const due = availableAt === undefined ? undefined : seconds(this.#startedAt + availableAt(i))
    const turn = due !== undefined && due > clock.now() ? 'waitedForIt' : 'itWasThere'
    // A timer may end a millisecond early, and no datum leaves before it is there.
    while (due !== undefined && due > clock.now()) await clock.sleep(seconds(due - clock.now()), { signal })
    return (await this.#hasRoom(signal)) ? turn : 'stopped'
  }

  /** Wait until there is a model and the window has room. @returns false when the source was stopped meanwhile */
  async #hasRoom(signal: AbortSignal): Promise<boolean> {
    while (!this.#mayAdmit && this.#state === 'running') await this.#pause(signal)
    return this.#state === 'running'
  }

  get #mayAdmit(): boolean {
    return this.#model.isThere && this.#book.ledger.room > 0
  }

  /** A saturated source has its datum the moment the network takes it; others had it when it was due. */
  #due(i: number): Seconds {
    const { clock, availableAt } = this.#parts
    return availableAt === undefined ? clock.now() : seconds(this.#startedAt + availableAt(i))
  }

  /** Until something changes; the tick is for what nobody tells. */
  async #pause(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await new Promise<void>(wake => {
      this.#pausing.push(wake)
      this.#tick(signal)
    })
    signal.throwIfAborted()
  }

  #wake(): void {
    for (const wake of this.#pausing.splice(0)) wake()
  }

  /** One timer for all pauses of its time: a fast source makes hundreds. */
  #tick(signal: AbortSignal): void {
    if (this.#isTicking) return
    this.#isTicking = true
    const over = (): void => {
      this.#isTicking = false
      this.#wake()
    }
    this.#parts.clock.sleep(TICK, { signal }).then(over, over)
  }
  #isTicking = false

  /** A saturated source reads its next datum while it waits for room, so that the window waits for no disk or decoder. */
  #readAhead(next: NumberedItem | undefined): Reading | undefined {
    if (next === undefined || this.#parts.availableAt !== undefined) return undefined
    const reading = this.#begin(next)
    reading.tensors.catch(() => {}) // told to whoever waits for it; a source that was stopped does not
    return reading
  }

  #begin(numbered: NumberedItem): Reading {
    const served = this.#model.served!
    return { served, tensors: this.#read(numbered, served) }
  }

  /** Read as the model wants it that is there when it has been read, and send it out; where it cannot be read, nothing. */
  async #readAndDispatch(numbered: NumberedItem): Promise<void> {
    for (;;) {
      const { served, tensors: coming } = this.#begin(numbered)
      const tensors = await coming
      if (tensors === undefined) return
      if (served === this.#model.served) return this.#dispatch(numbered.datum, tensors)
    }
  }

  /**
   * Likewise, and there is room for it.
   * @param when of it that is admitted now: since when it is available, and whether it was waited for
   */
  async #readAndAdmit(
    numbered: NumberedItem,
    ahead: Reading | undefined,
    signal: AbortSignal,
    when: () => readonly [available: Seconds, waitedForIt: boolean]
  ): Promise<void> {
    for (let reading = ahead ?? this.#begin(numbered); ; reading = this.#begin(numbered)) {
      const tensors = await reading.tensors
      if (tensors === undefined) return
      do {
        if (!(await this.#hasRoom(signal))) return
      } while (!this.#mayAdmit) // another datum may have taken it in the same moment
      if (reading.served !== this.#model.served) continue
      const [available, waitedForIt] = when()
      if (this.#isLate(available)) return this.drop(numbered, 'deadline')
      return this.#admit(numbered, tensors, available, waitedForIt)
    }
  }

  #admit({ datum, item }: NumberedItem, tensors: readonly Tensor[], available: Seconds, waitedForIt: boolean): void {
    const { clock, observe, tracer, isAsked } = this.#parts
    const now = clock.now()
    // What one who asks for much waits for itself is no reason to let it go before one who asks for little.
    const since = isAsked ? now : available
    const trace = tracer?.begin({ source: this.id, datum, available, parent: item.trace })
    this.#flights.set(datum, { item, availableAt: available, since, trace })
    this.#book.admit(datum, waitedForIt, available)
    observe?.admitted({ source: this.id, datum, trace, available, at: now })
    this.#dispatch(datum, tensors)
  }

  /** @returns undefined when the item cannot be read, now or at all, and the run goes on */
  async #read(numbered: NumberedItem, served: Served): Promise<readonly Tensor[] | undefined> {
    const reading = await this.#reader!.read(numbered, served.port)
    switch (reading.kind) {
      case 'tensors':
        return reading.tensors
      case 'later':
        return undefined
      case 'bad':
        // The model that is there now may want something else of it.
        if (this.#model.served !== served) return this.#read(numbered, this.#model.served!)
        await this.#isNone(numbered, reading.because, reading.stamp)
        return undefined
      case 'givenUp':
        if (this.#parts.isLive) await this.#isNone(numbered, reading.because, undefined)
        this.#forget(numbered.datum)
        if (this.#book.ledger.abandon(numbered.datum)) this.#flights.delete(numbered.datum)
        return undefined
      default:
        return reading satisfies never
    }
  }

  /** It is not tried again, unless its item changes. */
  #forget(datum: number): void {
    this.#appeals.forget(datum)
    this.#book.forget(datum)
  }

  /** Recorded, so that it is not read again unless it changes. */
  async #isNone(numbered: NumberedItem, because: string, stamp: string | undefined): Promise<void> {
    const { datum, item } = numbered
    if (this.#flights.has(datum)) {
      if (this.#book.ledger.fail(datum, because))
        await this.#recordFailure(datum, `cannot be read again: ${because}`, 'unreadable')
      return
    }
    this.#badItems.add(item.name, because)
    const named = { source: this.id, datum, item: item.name }
    await this.#outcome(item, { ...named, failed: true, cause: because, attempts: 0 }, stamp)
    if (this.#parts.isLive) return
    this.#reader!.leave(numbered, stamp) // not before it is in the sink: a result after it counts, one with it does not
  }

  /** Of a datum that was not admitted. Resolves when it is in the sink. */
  async #outcome(item: Item, entry: SinkEntry, stamp?: string): Promise<void> {
    this.#unsafe++
    try {
      await this.#parts.sink.write(entry, stamp)
      this.#tellEnd(entry, 'noItem')
      if (this.#parts.isLive) this.#book.ledger.passOver(entry.datum)
      this.#parts.settled?.(entry.datum, item, entry)
    } catch (error) {
      this.#notInSink(item.name, error)
    } finally {
      this.#unsafe--
      this.#wake()
    }
  }

  get #terms() {
    return this.#parts.spec.admission ?? PATIENT_TERMS
  }

  #isLate(available: Seconds): boolean {
    return this.#parts.clock.now() >= available + this.#terms.deadline
  }

  /** It was under way, and the ledger knows. */
  #dropAdmitted(datum: number, reason: DropReason): void {
    this.#parts.cancel(this.id, datum)
    this.#forget(datum)
    this.#reader!.forget(datum)
    const { item, availableAt } = this.#flights.get(datum)!
    const when = this.#wallTimes(availableAt, this.#parts.clock.now())
    const entry = { source: this.id, datum, item: item.name, dropped: true, reason, ...when } as const
    this.#endIfItFails(this.#recordEnd(item, entry))
  }

  #dispatch(datum: number, tensors: readonly Tensor[]): void {
    const { view, clock, spec, submit } = this.#parts
    if (!this.#model.isThere) return // it goes out when there is one
    const attempt = this.#book.dispatched(datum)
    if (attempt === undefined) return
    const { manifest } = this.#model.served!
    const { deadline } = spec.admission ?? PATIENT_TERMS
    const wanted = new Set(manifest.activations[0]!.tensors.map(tensor => tensor.name))
    const { since, trace } = this.#flights.get(datum)!
    if (attempt > 1 && trace !== undefined) this.#parts.tracer?.resent({ source: this.id, datum, attempt })
    submit({
      source: this.id,
      datum,
      attempt,
      modelId: manifest.id,
      model: view.world.modelIndex(manifest.id)!,
      home: view.selfIndex,
      homeId: view.self,
      weight: this.#weight,
      ...(deadline < Number.POSITIVE_INFINITY ? { deadline } : {}),
      isBacklogged: this.#book.isBacklogged,
      lag: seconds(0),
      served: seconds(0),
      availableAt: since,
      arrivedAt: clock.now(),
      turn: 0,
      done: 0,
      route: this.#way(datum, manifest.id),
      refusals: 0,
      tensors: tensors.filter(tensor => wanted.has(tensor.name)),
      ...(trace === undefined ? {} : { trace })
    })
  }

  /** Where somebody is left alone, this source says who computes its data: whoever passes them on has not seen what it has. */
  #way(datum: number, modelId: ModelId): readonly Step[] {
    const { view } = this.#parts
    const appealed = this.#appeals.way(datum, modelId)
    if (appealed !== undefined) return appealed
    const isSpared = (device: DeviceId): boolean => view.distrust.isFull(device)
    const isShunned = (device: DeviceId): boolean =>
      this.#book.isShunned(device) || view.distrust.isSetAsideHere(device, modelId)
    const isAvoided = (device: DeviceId): boolean =>
      isShunned(device) || (isSpared(device) && !this.#book.isProven(device))
    const isCalm = !view.world.devices.some(({ up, id }) => up && isShunned(id))
    const dataWith = (device: DeviceId): number => this.#book.with(device)
    const way = isCalm ? undefined : wayPast(view, modelId, { isAvoided, isSpared, dataWith })
    if (way === undefined) return []
    const computing = way.filter(({ until }, i) => until > (way[i - 1]?.until ?? 0))
    const devices = new Set(computing.map(({ device }) => view.world.devices[device]!.id))
    this.#book.goes(datum, [...devices])
    return way
  }

  #resendAfter(datum: number, pause: Seconds): void {
    this.#endIfItFails(this.#parts.clock.sleep(pause).then(() => this.#resend(datum)))
  }

  /** Read the item again and send it out again. */
  #resend(datum: number): void {
    const flight = this.#flights.get(datum)
    if (flight === undefined || this.#resending.has(datum) || this.#state !== 'running') return
    if (!this.#model.isThere) return // it goes out when there is one
    this.#resending.add(datum)
    this.#readAndDispatch({ datum, item: flight.item })
      .catch(error => {
        if (error instanceof InvariantError) this.#broken.reject(error)
        else this.#complain(`${flight.item.name}: cannot be read again: ${(error as Error).message}`, flight)
      })
      .finally(() => this.#resending.delete(datum))
  }

  async #record({ datum, attempt }: DeviceTask, tensors: readonly Tensor[], { port }: Served): Promise<void> {
    const { clock, sink, observe } = this.#parts
    const { item, availableAt, trace } = this.#flights.get(datum)!
    const now = clock.now()
    const inferenceTime = seconds(now - availableAt)
    try {
      const made = await this.#makeResult(port, { datum, item }, tensors)
      if ('because' in made) return await this.#refuse(datum, made.because)
      const { result } = made
      const times = this.#wallTimes(availableAt, now)
      const entry = {
        source: this.id,
        datum,
        item: item.name,
        result,
        inferenceTime,
        attempts: attempt,
        availableAt: times.availableAt,
        doneAt: times.doneAt
      }
      await sink.write(entry)
      this.#times.add(inferenceTime)
      observe?.ended({ source: this.id, datum, trace, at: now, outcome: 'result', available: availableAt })
      this.#written(item, entry)
    } catch (error) {
      this.#notInSink(item.name, error, trace)
    }
    this.#wake()
  }

  /** When an item was there and when it was done, `done` being now, as clocks on walls tell it: since 1970, to the millisecond. */
  #wallTimes(available: Seconds, done: Seconds): { readonly availableAt: number; readonly doneAt: number } {
    const now = this.#parts.wallTime()
    const rounded = (time: number): number => Math.round(time * 1000) / 1000
    return { availableAt: rounded(now - (done - available)), doneAt: rounded(now) }
  }

  /** After `ledger.fail`: it is in the sink that the datum has no result, and why. */
  async #recordFailure(datum: number, cause: string, reason: FailReason): Promise<void> {
    this.#forget(datum)
    const { item, availableAt } = this.#flights.get(datum)!
    const attempts = this.#book.ledger.attempts(datum)
    const when = this.#wallTimes(availableAt, this.#parts.clock.now())
    const named = { source: this.id, datum, item: item.name }
    await this.#recordEnd(item, { ...named, failed: true, cause, attempts, ...when }, reason)
  }

  /** Of a datum that was admitted and has no result. */
  async #recordEnd(item: Item, entry: SinkEntry, why?: FailReason): Promise<void> {
    try {
      await this.#parts.sink.write(entry)
      this.#tellEnd(entry, why)
      this.#written(item, entry)
    } catch (error) {
      this.#notInSink(item.name, error, this.#flights.get(entry.datum)?.trace)
    }
    this.#wake()
  }

  /** Of a datum that has no result. */
  #tellEnd(entry: SinkEntry, why: FailReason = 'computation'): void {
    const { clock, observe } = this.#parts
    const { datum } = entry
    const of = { source: this.id, datum, trace: this.#flights.get(datum)?.trace, at: clock.now() }
    if (isDropped(entry)) this.#droppedBy.set(entry.reason, (this.#droppedBy.get(entry.reason) ?? 0) + 1)
    if (isDropped(entry)) observe?.ended({ ...of, outcome: 'dropped', reason: entry.reason })
    else observe?.ended({ ...of, outcome: 'failed', reason: why })
  }

  /** What became of it is in the sink, for good. */
  #written(item: Item, entry: SinkEntry): void {
    const { datum } = entry
    this.#book.ledger.written(datum)
    this.#flights.delete(datum)
    this.#parts.settled?.(datum, item, entry)
  }

  /** A window of them may come at once, all for one cause. A source that is not being stopped does not go on without them. */
  #notInSink(item: string, error: unknown, trace?: TraceContext): void {
    if (error instanceof NotWritten) return // the sink says how many there are
    if (this.#state !== 'stopped') this.#broken.reject(error as Error)
    const because = describeFileError(error)
    this.#complain(`${item}: not in the sink: ${because}; the next start does it again`, { trace }, because)
  }

  /** What came home is nothing that a result can be made of. */
  async #refuse(datum: number, because: string): Promise<void> {
    const cause = `no result can be made: ${because}`
    const flight = this.#flights.get(datum)!
    this.#complain(`${flight.item.name}: ${cause}`, flight, cause)
    this.#book.ledger.refuse(datum, cause)
    await this.#recordFailure(datum, cause, 'result')
  }

  /**
   * A result that becomes a file may meet a full disk: tried again until it is there, or the source stops.
   * @returns why there is none where trying again would not help
   */
  async #makeResult(
    port: DataPort,
    { datum, item }: NumberedItem,
    tensors: readonly Tensor[]
  ): Promise<{ readonly result: unknown } | { readonly because: string }> {
    for (let pause = RETRY_PAUSE; ; pause = seconds(Math.min(2 * pause, LONGEST_PAUSE))) {
      try {
        const result = await port.write(item, tensors, datum)
        this.#writeTrouble = ''
        return { result }
      } catch (error) {
        if (!mayPass(error)) return { because: describeFileError(error) }
        if (this.#state === 'stopped') throw error
        this.#writeTrouble = `the result of ${item.name} cannot be written: ${(error as Error).message}; tried again, nothing is lost`
        const because = describeFileError(error)
        const what = `${item.name}: its result cannot be written: ${because}; trying again, others likewise`
        this.#complain(what, this.#flights.get(datum), because)
        await this.#parts.clock.sleep(pause)
      }
    }
  }

  /** Once for each thing that goes wrong, which `key` tells, not once for each datum. */
  #complain(text: string, of: Pick<Flight, 'trace'> | undefined, key = text): void {
    if (key === this.#lastComplaint) return
    this.#lastComplaint = key
    this.#parts.say(`source ${this.#parts.spec.name}: ${text}`, 'warn', { traceId: of?.trace?.traceId })
  }
}

/** Unique in the cluster. @param life of one whose data are numbered anew at each start */
export const sourceIdOf = (name: string, device: string, life?: string): SourceId =>
  sourceId(`${name}@${device}${life === undefined ? '' : `#${life}`}`)
