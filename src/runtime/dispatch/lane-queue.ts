import type { Clock } from '../../core/clock.ts'
import type { Tensor } from '../../core/tensor.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { World } from '../../core/world.ts'
import type { LiveTask } from './live-task.ts'
import { RankedQueue } from './ranked-queue.ts'

export interface LaneQueueParts {
  readonly clock: Clock
  readonly world: World
  readonly self: number
  readonly rank: (task: LiveTask) => number
  readonly runBlock: (task: LiveTask) => Promise<{ readonly tensors: readonly Tensor[]; readonly took: Seconds }>
  readonly finished: (task: LiveTask) => void
  readonly failed: (task: LiveTask, because: string) => void
}

/** Weight of the newest measurement in a block's time: one slow run must not send everybody elsewhere. */
const LEARNING_RATE = 0.1

/** The tasks that wait for this device's lane, and the one that runs. One block at a time. */
export class LaneQueue {
  readonly #parts: LaneQueueParts
  readonly #queue: RankedQueue<LiveTask>
  #running: { readonly task: LiveTask; readonly since: Seconds } | undefined
  #tasks = 0
  #busy = 0

  constructor(parts: LaneQueueParts) {
    this.#parts = parts
    this.#queue = new RankedQueue(parts.rank)
  }

  get size(): number {
    return this.#queue.size + (this.#running === undefined ? 0 : 1)
  }

  push(task: LiveTask): void {
    this.#queue.push(task)
    this.#pump()
  }

  /** Seconds of work that wait or run: all blocks that queued tasks are to run here before they leave. */
  backlog(): Seconds {
    let sum = 0
    for (const task of this.#queue.items()) sum += this.#workHere(task)
    if (this.#running !== undefined) {
      const ran = this.#parts.clock.now() - this.#running.since
      sum += Math.max(0, this.#workHere(this.#running.task) - ran)
    }
    return seconds(sum)
  }

  counters(): { readonly tasks: number; readonly busy: Seconds } {
    const running = this.#running === undefined ? 0 : this.#parts.clock.now() - this.#running.since
    return { tasks: this.#tasks, busy: seconds(this.#busy + running) }
  }

  uses(model: number, block: number): boolean {
    const wants = (task: LiveTask): boolean => task.modelIndex === model && task.done === block
    return [...this.#queue.items()].some(wants) || (this.#running !== undefined && wants(this.#running.task))
  }

  /** Take waiting tasks out; the running one is left to finish. */
  takeOut(wanted: (task: LiveTask) => boolean): LiveTask[] {
    const all = this.#queue.drain()
    for (const task of all) if (!wanted(task)) this.#queue.push(task)
    return all.filter(wanted)
  }

  #workHere(task: LiveTask): number {
    const { world, self } = this.#parts
    const until = Math.max(task.done + 1, task.route[0]?.device === self ? task.route[0].until : 0)
    let sum = 0
    for (let k = task.done; k < until; k++) sum += world.blockTime(self, task.modelIndex, k)
    return sum
  }

  #pump(): void {
    if (this.#running !== undefined) return
    const task = this.#queue.shift()
    if (task !== undefined) void this.#run(task)
  }

  async #run(task: LiveTask): Promise<void> {
    const { clock, failed, finished } = this.#parts
    this.#running = { task, since: clock.now() }
    let because: string | undefined
    try {
      const { tensors, took } = await this.#parts.runBlock(task)
      this.#learn(task, took)
      task.tensors = tensors
      task.done++
      task.refusals = 0
      this.#tasks++
    } catch (error) {
      because = error instanceof Error ? error.message : String(error)
    }
    this.#busy += clock.now() - this.#running.since
    this.#running = undefined
    if (because === undefined) finished(task)
    else failed(task, because)
    this.#pump()
  }

  #learn(task: LiveTask, took: Seconds): void {
    const { world, self } = this.#parts
    const known = world.blockTime(self, task.modelIndex, task.done)
    world.setBlockTime(self, task.modelIndex, task.done, seconds(known + LEARNING_RATE * (took - known)))
  }
}
