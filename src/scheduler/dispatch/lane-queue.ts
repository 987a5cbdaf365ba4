import { advanced, type Follow } from '../../core/progress.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { World } from '../../core/world.ts'
import { BlockTimes } from './block-times.ts'
import { ContestQueue, type ContestRules } from './contest-queue.ts'
import type { LiveTask } from './live-task.ts'

export type RunOutcome =
  | {
      readonly kind: 'done'
      readonly took: Seconds
      /** What comes after it. @default 'next' */
      readonly follow?: Follow
    }
  | { readonly kind: 'failed'; readonly because: string }
  /** The block is not here any more: nothing was computed, and nothing failed. */
  | { readonly kind: 'notHere' }

/** Run block `task.done`; call `finished` once. */
export type RunBlock<T> = (task: T, finished: (outcome: RunOutcome) => void) => void

export interface LaneQueueParts<T> extends ContestRules<T> {
  readonly now: () => Seconds
  readonly world: World
  readonly self: number
  /** Default: always. */
  readonly learns?: () => boolean
  readonly run: RunBlock<T>
  /**
   * A block may be given to be run while another runs: it begins the moment that one ends. Default: it may not, and one is given
   * when the other is back.
   */
  readonly takesAhead?: boolean | undefined
  readonly finished: (task: T) => void
  readonly failed: (task: T, because: string) => void
  readonly notHere: (task: T) => void
}

/**
 * Blocks that take less are given ahead: to be told that one has ended, and to give the next, takes a good part of that time. What
 * is given is decided, so of longer ones that would be too early.
 */
const SHORT: Seconds = seconds(0.005)

interface Running<T> {
  readonly task: T
  /** Since when it is its turn. */
  since: Seconds
}

/** The tasks that wait for this device's lane, and the one that runs. One block at a time. */
export class LaneQueue<T extends LiveTask> {
  readonly #parts: LaneQueueParts<T>
  readonly #queue: ContestQueue<T>
  /** The first runs; a second is given ahead. */
  readonly #running: Running<T>[] = []
  readonly #times: BlockTimes
  #tasks = 0
  #busy = 0

  constructor(parts: LaneQueueParts<T>) {
    this.#parts = parts
    this.#queue = new ContestQueue(parts)
    this.#times = new BlockTimes(parts.world, parts.self)
  }

  get size(): number {
    return this.#queue.size + this.#running.length
  }

  *tasks(): Iterable<T> {
    yield* this.#queue.items()
    for (const { task } of this.#running) yield task
  }

  isRunning(task: T): boolean {
    return this.#running.some(running => running.task === task)
  }

  push(task: T): void {
    this.#queue.push(task)
    this.#pump()
  }

  /** Called often. */
  look(): void {
    if (this.#parts.learns?.() !== false && this.size === 0) this.#times.rest(this.#parts.now())
  }

  /** Seconds of work that wait or run: all blocks that queued tasks are to run here before they leave. */
  backlog(): Seconds {
    let sum = 0
    for (const task of this.#queue.items()) sum += this.#workHere(task)
    for (const { task, since } of this.#running) {
      const ran = this.#parts.now() - since
      sum += Math.max(0, this.#workHere(task) - ran)
    }
    return seconds(sum)
  }

  counters(): { readonly tasks: number; readonly busy: Seconds } {
    const [first] = this.#running
    const running = first === undefined ? 0 : this.#parts.now() - first.since
    return { tasks: this.#tasks, busy: seconds(this.#busy + running) }
  }

  uses(model: number, block: number): boolean {
    const wants = (task: T): boolean => task.model === model && task.done === block
    return [...this.#queue.items()].some(wants) || this.#running.some(({ task }) => wants(task))
  }

  /** Take waiting tasks out; the running one is left to finish. */
  takeOut(wanted: (task: T) => boolean): T[] {
    return this.#queue.takeOut(wanted)
  }

  #workHere(task: T): number {
    const { world, self } = this.#parts
    const until = Math.max(task.done + 1, task.route[0]?.device === self ? task.route[0].until : 0)
    let sum = 0
    for (let k = task.done; k < until; k++) sum += world.blockTime(self, task.model, k)
    return sum
  }

  #pump(): void {
    while (this.#takesMore()) {
      const task = this.#queue.shift()
      if (task === undefined) return
      this.#running.push({ task, since: this.#parts.now() })
      this.#parts.run(task, outcome => this.#finished(task, outcome))
    }
  }

  #takesMore(): boolean {
    const [first, second] = this.#running
    if (first === undefined) return true
    return second === undefined && this.#parts.takesAhead === true && this.#isShort(first.task)
  }

  #isShort({ model, done }: T): boolean {
    const { world, self } = this.#parts
    return world.blockTime(self, model, done) < SHORT
  }

  #finished(task: T, outcome: RunOutcome): void {
    const now = this.#parts.now()
    const place = this.#running.findIndex(running => running.task === task)
    const [{ since }] = this.#running.splice(place, 1) as [Running<T>]
    // One that was given ahead takes its turn now.
    if (place === 0) this.#busy += now - since
    for (const next of this.#running) next.since = now
    try {
      if (outcome.kind === 'done') {
        if (this.#parts.learns?.() !== false) this.#times.ran(task.model, task.done, outcome.took, this.#parts.now())
        task.served = seconds(task.served + outcome.took)
        // What was decided for the blocks ahead is for a datum that goes on as planned.
        if (outcome.follow !== undefined && outcome.follow !== 'next') task.route = []
        task.done = advanced(this.#parts.world, task, outcome.follow)
        task.refusals = 0
        this.#tasks++
        this.#parts.finished(task)
      } else if (outcome.kind === 'failed') this.#parts.failed(task, outcome.because)
      else this.#parts.notHere(task)
    } finally {
      this.#pump() // the others wait for it, whatever becomes of this one
    }
  }
}
