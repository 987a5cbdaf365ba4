import type { BatchCurve } from '../../core/batch-curve.ts'
import { Halt } from '../../core/halt.ts'
import { advanced, type Follow } from '../../core/progress.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { World } from '../../core/world.ts'
import { batchOf } from './batch-of.ts'
import { BatchWatch } from './batch-watch.ts'
import { BlockTimes } from './block-times.ts'
import { ContestQueue, type ContestRules } from './contest-queue.ts'
import type { LiveTask } from './live-task.ts'

export type RunOutcome =
  | {
      readonly kind: 'done'
      readonly took: Seconds
      /** What comes after it. @default 'next' */
      readonly follow?: Follow
      /** So many data were run at once, and took so long together. @default 1 */
      readonly together?: number
    }
  | {
      readonly kind: 'failed'
      readonly because: string
      /** Which failed. @default the one that was next */
      readonly block?: number
    }
  /** The block is not here any more: nothing was computed, and nothing failed. */
  | { readonly kind: 'notHere' }

/** Run block `task.done`, and those of the visit behind it; call `finished` once, with an outcome for each that was tried, in order. */
export type RunBlocks<T> = (task: T, finished: (...outcomes: readonly RunOutcome[]) => void, visit: Visit) => void

/** Run block `done` of several tasks, which is the same, at once; call `finished` once, with an outcome for each, in their order. */
export type RunTogether<T> = (tasks: readonly T[], finished: (outcomes: readonly RunOutcome[]) => void) => void

/** Blocks of one task that may run one after the other, with nothing between them. */
export interface Visit {
  /** At most so many, at least 1. */
  readonly blocks: number
  /** Asked where it is another's turn at the next block, or where what lies ahead has changed. */
  readonly halt: Halt
}

/** What the lanes need of the device around them. */
export interface LanePorts<T> {
  readonly now: () => Seconds
  readonly world: World
  readonly self: number
  /** Whether what blocks really take is to be learnt. Default: always. */
  readonly learns?: () => boolean
  /** Run block `task.done`, and others of its visit; the driver puts the activation after the last into the task before it calls `finished`. */
  readonly run: RunBlocks<T>
  /** Several data of one block are run at once where that gains. Absent: one at a time. */
  readonly runTogether?: RunTogether<T> | undefined
  /** Whether two tasks at one block have data of the same form. Default: they have. */
  readonly areAlike?: ((a: T, b: T) => boolean) | undefined
  /**
   * A block may be given to be run while another runs: it begins the moment that one ends. Default: it may not, and one is given
   * when the other is back.
   */
  readonly takesAhead?: boolean | undefined
  /** Blocks of one task may be given together. Default: one at a time. */
  readonly visits?: boolean | undefined
  /** The block that was run could not be computed here, and why; the source decides what next. */
  readonly failed: (task: T, because: string) => void
}

export interface LaneQueueParts<T> {
  readonly ports: LanePorts<T>
  readonly rules: ContestRules<T>
  readonly finished: (task: T) => void
  readonly notHere: (task: T) => void
}

/**
 * Blocks that take less are given ahead: to be told that one has ended, and to give the next, takes a good part of that time. What
 * is given is decided, so of longer ones that would be too early.
 */
const SHORT: Seconds = seconds(0.005)

/** What has run is told when a visit is over: no longer than this, by what is believed, unless it is one block. */
const LONGEST_VISIT: Seconds = seconds(0.1)

const NOBODY: readonly never[] = []

/** Nothing is ahead of it, so that nobody halts it. */
const ONE_BLOCK: Visit = { blocks: 1, halt: new Halt() }

interface Running<T> {
  /** More than one where they are run at once. */
  readonly tasks: readonly [T, ...T[]]
  readonly visit: Visit
  /** Since when it is its turn. */
  since: Seconds
}

/**
 * The tasks that wait for this device's lanes, and those that run: one in each, one block at a time. Blocks that follow each other in one
 * task, here and decided, are given together where the task would be served next after each of them: nobody who waits goes before it.
 * Who comes meanwhile and would, halts it at the next block. So the order is the same as if each were given by itself.
 *
 * Where several data of a block take less at once, the one whose turn it is takes along who waits for the same block: `batchOf`.
 */
export class LaneQueue<T extends LiveTask> {
  readonly #parts: LaneQueueParts<T>
  readonly #ports: LanePorts<T>
  readonly #queue: ContestQueue<T>
  /** As many as there are lanes run; those behind them are given ahead. */
  readonly #running: Running<T>[] = []
  readonly #times: BlockTimes
  readonly #batches = new BatchWatch()
  #tasks = 0
  #busy = 0
  /** Tasks that ran at once are told one after the other: their lane waits for all of them. */
  #isTelling = false

  constructor(parts: LaneQueueParts<T>) {
    const { ports, rules } = parts
    this.#parts = parts
    this.#ports = ports
    this.#queue = new ContestQueue(rules)
    this.#times = new BlockTimes(ports.world, ports.self)
  }

  get size(): number {
    return this.#queue.size + this.#running.length
  }

  *tasks(): Iterable<T> {
    yield* this.#queue.items()
    for (const { tasks } of this.#running) yield* tasks
  }

  isRunning(task: T): boolean {
    return this.#running.some(({ tasks }) => tasks.includes(task))
  }

  push(task: T): void {
    this.#queue.push(task)
    const begins = this.#queue.size === 1 && this.#hasFreeLane()
    if (!begins)
      for (const { tasks, visit } of this.#running)
        if (visit.blocks > 1 && !this.#queue.isLedBy(tasks[0])) visit.halt.ask()
    this.#pump()
  }

  get #lanes(): number {
    return this.#ports.world.devices[this.#ports.self]!.lanes
  }

  #hasFreeLane(): boolean {
    return this.#running.length < this.#lanes
  }

  /** What runs here may have changed: no block that may not run is begun. */
  worldChanged(): void {
    for (const {
      tasks: [task],
      visit
    } of this.#running)
      for (let ahead = 1; ahead < visit.blocks; ahead++) if (!this.#mayRun(task, task.done + ahead)) visit.halt.ask()
  }

  /** Called often. There may be more lanes by now. */
  look(): void {
    this.#pump()
    if (this.#ports.learns?.() !== false && this.size === 0) this.#times.rest(this.#ports.now())
  }

  /**
   * Seconds of work that wait or run, as all lanes together do it: all blocks that queued tasks are to run here before they leave.
   * Nothing while a lane is free.
   */
  backlog(): Seconds {
    if (this.#queue.size === 0 && this.#hasFreeLane()) return seconds(0)
    const lanes = this.#lanes
    let sum = 0
    const shares = this.#ports.world.batches ? this.#sharesOfWaiting() : undefined
    this.#queue.each(task => {
      sum += this.#workHere(task, shares?.get(keyOf(task)))
    })
    for (let i = 0; i < this.#running.length; i++) {
      const { tasks, since } = this.#running[i]!
      const ran = i < lanes ? this.#ports.now() - since : 0
      const share = this.#curveOf(tasks[0])?.share(tasks.length)
      let work = 0
      for (const task of tasks) work += this.#workHere(task, share)
      sum += Math.max(0, work - ran)
    }
    return seconds(sum / lanes)
  }

  /** By model and block: what each who waits for it takes of its time, as far as they will be run at once. */
  #sharesOfWaiting(): ReadonlyMap<string, number> {
    const waiting = new Map<string, { readonly task: T; count: number }>()
    this.#queue.each(task => {
      const same = waiting.get(keyOf(task))
      if (same === undefined) waiting.set(keyOf(task), { task, count: 1 })
      else same.count++
    })
    return new Map([...waiting].map(([key, { task, count }]) => [key, this.#curveOf(task)?.share(count) ?? 1]))
  }

  #curveOf({ model, done }: T): BatchCurve | undefined {
    const { runTogether, world, self } = this.#ports
    return runTogether === undefined ? undefined : world.batchCurve(self, model, done)
  }

  /** Busy: of the whole device, which is half so while one of two lanes is. */
  counters(): { readonly tasks: number; readonly busy: Seconds } {
    const [now, lanes] = [this.#ports.now(), this.#lanes]
    const running = this.#running.slice(0, lanes).reduce((sum, { since }) => sum + now - since, 0)
    return { tasks: this.#tasks, busy: seconds(this.#busy + running / lanes) }
  }

  uses(model: number, block: number): boolean {
    const wants = (task: T, blocks: number): boolean =>
      task.model === model && block >= task.done && block < task.done + blocks
    if (this.#running.some(({ tasks, visit }) => wants(tasks[0], visit.blocks))) return true
    return this.#queue.items().some(task => wants(task, 1))
  }

  /** Take waiting tasks out; the running one is left to finish. */
  takeOut(wanted: (task: T) => boolean): T[] {
    return this.#queue.takeOut(wanted)
  }

  /** @param share of the time of its next block, where others are run with it */
  #workHere(task: T, share = 1): number {
    const { world, self } = this.#ports
    const until = this.#decidedHere(task)
    let sum = share * world.blockTime(self, task.model, task.done)
    for (let k = task.done + 1; k < until; k++) sum += world.blockTime(self, task.model, k)
    return sum
  }

  /** So many of its blocks are done when it leaves, as far as that is decided. */
  #decidedHere({ done, route: [step] }: T): number {
    return Math.max(done + 1, step?.device === this.#ports.self ? step.until : 0)
  }

  /** Likewise, no further than it is to come. */
  #comesTo(task: T): number {
    const isHome = task.home === this.#ports.self
    return Math.min(
      this.#decidedHere(task),
      isHome ? (task.until ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY
    )
  }

  #mayRun({ model, home }: T, block: number): boolean {
    return this.#ports.world.mayRun(this.#ports.self, model, block, home)
  }

  /** Of a task that has just been taken from the queue. */
  #visitOf(task: T): Visit {
    if (this.#ports.visits !== true) return ONE_BLOCK
    const until = this.#comesTo(task)
    if (until <= task.done + 1 || !this.#queue.isLedBy(task)) return ONE_BLOCK
    const { world, self } = this.#ports
    let takes = world.blockTime(self, task.model, task.done)
    let next = task.done + 1
    for (; next < until && this.#mayRun(task, next); next++) {
      takes = seconds(takes + world.blockTime(self, task.model, next))
      if (takes > LONGEST_VISIT) break
    }
    return next === task.done + 1 ? ONE_BLOCK : { blocks: next - task.done, halt: new Halt() }
  }

  #pump(): void {
    while (!this.#isTelling && this.#takesMore()) {
      const task = this.#queue.shift()
      if (task === undefined) return
      const others = this.#joining(task)
      if (others.length > 0) this.#runTogether([task, ...others])
      else {
        const visit = this.#visitOf(task)
        this.#running.push({ tasks: [task], visit, since: this.#ports.now() })
        this.#ports.run(task, (...outcomes) => this.#finished(task, outcomes), visit)
      }
    }
  }

  /** Those who are to be run with a task that has just been taken from the queue; they are taken, too. */
  #joining(task: T): readonly T[] {
    const curve = this.#curveOf(task)
    if (curve === undefined || this.#queue.size === 0 || this.#batches.isDoubted(keyOf(task))) return NOBODY
    const { areAlike, now, self, world } = this.#ports
    const mayJoin = (other: T): boolean =>
      other.model === task.model &&
      other.done === task.done &&
      this.#mayRun(other, other.done) &&
      areAlike?.(task, other) !== false
    const chosen = batchOf(task, this.#queue.inOrder(), {
      ...{ curve, mayJoin, now: now(), takes: world.blockTime(self, task.model, task.done) },
      workOf: waiting => this.#workHere(waiting),
      others: this.#otherLanes()
    })
    const joins = new Set(chosen)
    if (joins.size > 0) this.#queue.takeOut(other => joins.has(other))
    return chosen
  }

  /** Of each lane but the one that is free first, in how many seconds after that it is. */
  #otherLanes(): readonly number[] {
    const count = this.#lanes
    if (count === 1) return []
    const lanes: number[] = Array(count).fill(0)
    for (const [i, running] of this.#running.entries()) {
      const least = i < count ? i : lanes.indexOf(Math.min(...lanes))
      const ran = i < count ? this.#ports.now() - running.since : 0
      lanes[least] = lanes[least]! + Math.max(0, this.#lastsFor(running) - ran)
    }
    const [first, ...others] = lanes.sort((a, b) => a - b)
    return others.map(left => left - first!)
  }

  #lastsFor({ tasks, visit }: Running<T>): number {
    const { world, self } = this.#ports
    const [task] = tasks
    let sum = 0
    for (let k = task.done; k < task.done + visit.blocks; k++) sum += world.blockTime(self, task.model, k)
    return sum * (this.#curveOf(task)?.times(tasks.length) ?? tasks.length)
  }

  #runTogether(tasks: readonly [T, ...T[]]): void {
    this.#running.push({ tasks, visit: ONE_BLOCK, since: this.#ports.now() })
    this.#ports.runTogether!(tasks, outcomes => this.#finishedTogether(tasks, outcomes))
  }

  #takesMore(): boolean {
    if (this.#hasFreeLane()) return true
    const isRoom = this.#running.length < 2 * this.#lanes
    return isRoom && this.#ports.takesAhead === true && this.#running.every(running => this.#isShort(running))
  }

  #isShort({ tasks: [{ model, done }, ...others], visit }: Running<T>): boolean {
    const { world, self } = this.#ports
    let sum = 0
    for (let k = done; k < done + visit.blocks; k++) sum += world.blockTime(self, model, k)
    return sum * (1 + others.length) < SHORT
  }

  #finished(task: T, outcomes: readonly RunOutcome[]): void {
    const now = this.#over(task)
    try {
      this.#tell(task, outcomes, now)
    } finally {
      this.#pump() // the others wait for it, whatever becomes of this one
    }
  }

  #finishedTogether(tasks: readonly [T, ...T[]], outcomes: readonly RunOutcome[]): void {
    const now = this.#over(tasks[0])
    const errors: unknown[] = []
    const first = outcomes.findIndex(isOfSeveral)
    this.#isTelling = true
    for (const [i, task] of tasks.entries()) {
      const outcome = outcomes[i]!
      try {
        this.#tell(task, [outcome], now, i > first && isOfSeveral(outcome))
      } catch (error) {
        errors.push(error) // the others ran as well
      }
    }
    this.#isTelling = false
    this.#pump()
    if (errors.length > 0) throw errors[0]
  }

  /** What runs with this task, alone or first of several, is over. @returns now */
  #over(task: T): Seconds {
    const now = this.#ports.now()
    const place = this.#running.findIndex(({ tasks }) => tasks[0] === task)
    const { since } = this.#running[place]!
    this.#running.splice(place, 1)
    const lanes = this.#lanes
    if (place >= lanes) return now
    this.#busy += (now - since) / lanes
    // One that was given ahead takes its turn now.
    const next = this.#running[lanes - 1]
    if (next !== undefined) next.since = now
    return now
  }

  /** @param isKnown what it took has been learnt from another of its batch: one run counts once */
  #tell(task: T, outcomes: readonly RunOutcome[], now: Seconds, isKnown = false): void {
    const last = outcomes.at(-1)!
    this.#advance(task, outcomes, now, isKnown)
    if (last.kind === 'done') this.#parts.finished(task)
    else if (last.kind === 'failed') {
      task.done = last.block ?? task.done
      this.#ports.failed(task, last.because)
    } else this.#parts.notHere(task)
  }

  /** @param now when the last block had run */
  #advance(task: T, outcomes: readonly RunOutcome[], now: Seconds, isKnown: boolean): void {
    const learns = !isKnown && this.#ports.learns?.() !== false
    let left = 0
    for (const outcome of outcomes) if (outcome.kind === 'done') left += outcome.took
    for (const outcome of outcomes) {
      if (outcome.kind !== 'done') continue
      const { took, follow, together = 1 } = outcome
      left -= took
      // What one takes is known of several as well: by their curve.
      const one = seconds(together === 1 ? took : took / (this.#curveOf(task)?.times(together) ?? together))
      if (!isKnown) this.#watchBatches(task, took, together)
      if (learns) this.#times.ran(task.model, task.done, one, seconds(now - left))
      task.served = seconds(task.served + took)
      // What was decided for the blocks ahead is for a datum that goes on as planned.
      if (follow !== undefined && follow !== 'next') task.route = []
      task.done = advanced(this.#ports.world, task, follow)
      task.refusals = 0
      this.#tasks++
    }
  }

  /** Where they gain nothing any more, data are run one at a time. */
  #watchBatches(task: T, took: Seconds, together: number): void {
    if (this.#curveOf(task) === undefined) return
    const { world, self } = this.#ports
    const { model, done } = task
    if (together > 1) this.#batches.ranTogether(keyOf(task), together, took, world.blockTime(self, model, done))
    else if (this.#batches.ranAlone(keyOf(task), took)) world.setBatchCurve(self, model, done, undefined)
  }
}

const isOfSeveral = (outcome: RunOutcome): boolean => outcome.kind === 'done' && (outcome.together ?? 1) > 1

const keyOf = ({ model, done }: LiveTask): string => `${model} ${done}`
