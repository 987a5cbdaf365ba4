import { type Seconds, seconds } from '../../core/units.ts'
import type { World } from '../../core/world.ts'
import { ContestQueue, type ContestRules } from './contest-queue.ts'
import type { LiveTask } from './live-task.ts'

export type RunOutcome =
  | { readonly kind: 'done'; readonly took: Seconds }
  | { readonly kind: 'failed'; readonly because: string }

/** Run block `task.done`; call `finished` once. */
export type RunBlock<T> = (task: T, finished: (outcome: RunOutcome) => void) => void

export interface LaneQueueParts<T> extends ContestRules<T> {
  readonly now: () => Seconds
  readonly world: World
  readonly self: number
  /** Default: always. */
  readonly learns?: () => boolean
  readonly run: RunBlock<T>
  readonly finished: (task: T) => void
  readonly failed: (task: T, because: string) => void
}

/**
 * A block's time follows the median of its last three runs: one slow run must not send everybody elsewhere, three are no
 * accident. The weight of the newest median.
 */
const LEARNING_RATE = 0.25
/** Of a block that ran within this time, its own runs tell what it takes. */
const FRESH: Seconds = seconds(10)

interface BlockRuns {
  /** What the last three took, newest last. */
  readonly took: number[]
  lastAt: Seconds
}

/** The tasks that wait for this device's lane, and the one that runs. One block at a time. */
export class LaneQueue<T extends LiveTask> {
  readonly #parts: LaneQueueParts<T>
  readonly #queue: ContestQueue<T>
  #running: { readonly task: T; readonly since: Seconds } | undefined
  /** By model and block. */
  readonly #runs = new Map<string, BlockRuns>()
  #tasks = 0
  #busy = 0

  constructor(parts: LaneQueueParts<T>) {
    this.#parts = parts
    this.#queue = new ContestQueue(parts)
  }

  get size(): number {
    return this.#queue.size + (this.#running === undefined ? 0 : 1)
  }

  *tasks(): Iterable<T> {
    yield* this.#queue.items()
    if (this.#running !== undefined) yield this.#running.task
  }

  push(task: T): void {
    this.#queue.push(task)
    this.#pump()
  }

  /** Seconds of work that wait or run: all blocks that queued tasks are to run here before they leave. */
  backlog(): Seconds {
    let sum = 0
    for (const task of this.#queue.items()) sum += this.#workHere(task)
    if (this.#running !== undefined) {
      const ran = this.#parts.now() - this.#running.since
      sum += Math.max(0, this.#workHere(this.#running.task) - ran)
    }
    return seconds(sum)
  }

  counters(): { readonly tasks: number; readonly busy: Seconds } {
    const running = this.#running === undefined ? 0 : this.#parts.now() - this.#running.since
    return { tasks: this.#tasks, busy: seconds(this.#busy + running) }
  }

  uses(model: number, block: number): boolean {
    const wants = (task: T): boolean => task.model === model && task.done === block
    return [...this.#queue.items()].some(wants) || (this.#running !== undefined && wants(this.#running.task))
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
    if (this.#running !== undefined) return
    const task = this.#queue.shift()
    if (task === undefined) return
    this.#running = { task, since: this.#parts.now() }
    this.#parts.run(task, outcome => this.#finished(task, outcome))
  }

  #finished(task: T, outcome: RunOutcome): void {
    this.#busy += this.#parts.now() - this.#running!.since
    this.#running = undefined
    if (outcome.kind === 'done') {
      this.#learn(task, outcome.took)
      task.done++
      task.refusals = 0
      this.#tasks++
      this.#parts.finished(task)
    } else this.#parts.failed(task, outcome.because)
    this.#pump()
  }

  #learn({ model, done: block }: T, took: Seconds): void {
    const { world, self, learns, now } = this.#parts
    if (learns?.() === false) return
    const known = world.blockTime(self, model, block)
    const runs = this.#runsOf(model, block)
    runs.lastAt = now()
    const usual = median(keepLast(runs.took, took))
    if (usual === known) return
    const learnt = seconds(known + LEARNING_RATE * (usual - known))
    world.setBlockTime(self, model, block, learnt)
    if (known > 0) this.#scaleOthers(learnt / known)
  }

  /**
   * A device that becomes slower does so for all its blocks. Those that did not run lately move by the geometric mean of
   * what those that did have moved by: each of n of these moves them by the n-th root.
   */
  #scaleOthers(ratio: number): void {
    const { world, self, now } = this.#parts
    const isFresh = ({ lastAt }: BlockRuns): boolean => now() - lastAt < FRESH
    const fresh = [...this.#runs.values()].filter(isFresh).length
    const share = ratio ** (1 / fresh)
    for (const [m, { work }] of world.models.entries()) {
      for (const k of work.keys()) {
        const runs = this.#runs.get(keyOf(m, k))
        if (!world.carries(self, m, k) || (runs !== undefined && isFresh(runs))) continue
        world.setBlockTime(self, m, k, seconds(world.blockTime(self, m, k) * share))
      }
    }
  }

  #runsOf(model: number, block: number): BlockRuns {
    const known = this.#runs.get(keyOf(model, block)) ?? { took: [], lastAt: seconds(0) }
    this.#runs.set(keyOf(model, block), known)
    return known
  }
}

const keyOf = (model: number, block: number): string => `${model} ${block}`

const keepLast = (list: number[], item: number): readonly number[] => {
  list.push(item)
  if (list.length > 3) list.shift()
  return list
}

const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor((list.length - 1) / 2)]!
