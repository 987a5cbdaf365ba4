import { type Seconds, seconds } from '../../core/units.ts'
import type { World } from '../../core/world.ts'
import type { LiveTask } from './live-task.ts'
import { RankedQueue } from './ranked-queue.ts'

export interface SendOutcome {
  /** The link is free for the next one. Once, also when the peer was lost. */
  readonly written: () => void
  /** The peer has it. Either this or `refused`, once. */
  readonly accepted: () => void
  /** The peer did not take it, or was lost before it answered. The task still has its activation. */
  readonly refused: () => void
}

export type SendTask<T> = (task: T, to: number, outcome: SendOutcome) => void

export interface LinkQueueParts<T> {
  readonly now: () => Seconds
  readonly world: World
  readonly self: number
  readonly to: number
  readonly bytes: (task: T) => number
  readonly rank: (task: T) => number
  /** False: the task has been taken elsewhere. */
  readonly beforeSend: (task: T) => boolean
  readonly send: SendTask<T>
  readonly accepted: (task: T) => void
  readonly refused: (task: T) => void
}

/** The tasks that wait for one link. One is written at a time, so that the order stays ours until the last moment. */
export class LinkQueue<T extends LiveTask> {
  readonly #parts: LinkQueueParts<T>
  readonly #queue: RankedQueue<T>
  #writing: { readonly bytes: number; readonly since: Seconds } | undefined
  #waitingBytes = 0
  #pumping = false

  constructor(parts: LinkQueueParts<T>) {
    this.#parts = parts
    this.#queue = new RankedQueue(parts.rank)
  }

  get size(): number {
    return this.#queue.size + (this.#writing === undefined ? 0 : 1)
  }

  push(task: T): void {
    this.#waitingBytes += this.#parts.bytes(task)
    this.#queue.push(task)
    this.#pump()
  }

  /** Seconds until a task that is pushed now would start to be sent. */
  backlog(): Seconds {
    const rate = this.#parts.world.link(this.#parts.self, this.#parts.to)?.rate
    if (rate === undefined) return seconds(0)
    const sent = this.#writing === undefined ? 0 : (this.#parts.now() - this.#writing.since) * rate
    const left = this.#writing === undefined ? 0 : Math.max(0, this.#writing.bytes - sent)
    return seconds((this.#waitingBytes + left) / rate)
  }

  /** Take waiting tasks out; the one being written comes back through `refused` if it fails. */
  takeOut(wanted: (task: T) => boolean): T[] {
    const out = this.#queue.takeOut(wanted)
    for (const task of out) this.#waitingBytes -= this.#parts.bytes(task)
    return out
  }

  /** Not re-entrant: `beforeSend` may push onto this very queue. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    while (this.#writing === undefined) {
      const task = this.#queue.shift()
      if (task === undefined) break
      this.#waitingBytes -= this.#parts.bytes(task)
      if (this.#parts.beforeSend(task)) this.#send(task)
    }
    this.#pumping = false
  }

  #send(task: T): void {
    const { now, bytes, send, to, accepted, refused } = this.#parts
    this.#writing = { bytes: bytes(task), since: now() }
    send(task, to, {
      written: () => {
        this.#writing = undefined
        this.#pump()
      },
      accepted: () => accepted(task),
      refused: () => refused(task)
    })
  }
}
