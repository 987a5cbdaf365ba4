import type { Clock } from '../../core/clock.ts'
import type { DeviceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { World } from '../../core/world.ts'
import type { Sending } from '../network/network.ts'
import { type LiveTask, payloadBytes } from './live-task.ts'
import { RankedQueue } from './ranked-queue.ts'

export type SendTask = (task: LiveTask, peer: DeviceId) => Sending

export interface LinkQueueParts {
  readonly clock: Clock
  readonly world: World
  readonly self: number
  readonly to: number
  readonly rank: (task: LiveTask) => number
  /** False: the task has been taken elsewhere. */
  readonly beforeSend: (task: LiveTask) => boolean
  readonly send: SendTask
  readonly accepted: (task: LiveTask) => void
  /** Refused, or the peer was lost before it answered. The task still has its activation. */
  readonly refused: (task: LiveTask) => void
}

/** The tasks that wait for one link. One frame is written at a time, so that the order stays ours until the last moment. */
export class LinkQueue {
  readonly #parts: LinkQueueParts
  readonly #queue: RankedQueue<LiveTask>
  #writing: { readonly bytes: number; readonly since: Seconds } | undefined
  #pumping = false

  constructor(parts: LinkQueueParts) {
    this.#parts = parts
    this.#queue = new RankedQueue(parts.rank)
  }

  get size(): number {
    return this.#queue.size + (this.#writing === undefined ? 0 : 1)
  }

  push(task: LiveTask): void {
    this.#queue.push(task)
    this.#pump()
  }

  /** Seconds until a task that is pushed now would start to be sent. */
  backlog(): Seconds {
    const rate = this.#parts.world.link(this.#parts.self, this.#parts.to)?.rate
    if (rate === undefined) return seconds(0)
    let waiting = 0
    for (const task of this.#queue.items()) waiting += payloadBytes(task)
    const left =
      this.#writing === undefined
        ? 0
        : Math.max(0, this.#writing.bytes / rate - (this.#parts.clock.now() - this.#writing.since))
    return seconds(waiting / rate + left)
  }

  /** The peer is gone: everything that waits, to be routed anew. What was being sent comes back through `refused`. */
  abandon(): LiveTask[] {
    return this.#queue.drain()
  }

  takeOut(wanted: (task: LiveTask) => boolean): LiveTask[] {
    const all = this.#queue.drain()
    for (const task of all) if (!wanted(task)) this.#queue.push(task)
    return all.filter(wanted)
  }

  /** Not re-entrant: `beforeSend` may push onto this very queue. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    while (this.#writing === undefined) {
      const task = this.#queue.shift()
      if (task === undefined) break
      if (this.#parts.beforeSend(task)) this.#send(task)
    }
    this.#pumping = false
  }

  #send(task: LiveTask): void {
    const { clock, world, to } = this.#parts
    const sending = this.#parts.send(task, world.devices[to]!.id)
    this.#writing = { bytes: payloadBytes(task), since: clock.now() }
    const free = (): void => {
      this.#writing = undefined
      this.#pump()
    }
    sending.written.then(free, free)
    sending.answered.then(
      answer => (answer.kind === 'accepted' ? this.#parts.accepted(task) : this.#parts.refused(task)),
      () => this.#parts.refused(task)
    )
  }
}
