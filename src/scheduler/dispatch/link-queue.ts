import { type Seconds, seconds } from '../../core/units.ts'
import type { World } from '../../core/world.ts'
import { ContestQueue, type ContestRules } from './contest-queue.ts'
import type { LiveTask } from './live-task.ts'

/** A neighbour that has not answered for so long is asked again. */
const ASK_AGAIN: Seconds = seconds(2)

export interface SendOutcome {
  /** The link is free for the next one. Once, also when the peer was lost. */
  readonly written: () => void
  /** The peer has it. Either this or `refused`, once. */
  readonly accepted: () => void
  /** The peer did not take it, or was lost before it answered. The task still has its activation. */
  readonly refused: () => void
}

export type SendTask<T> = (task: T, to: number, outcome: SendOutcome) => void

/** What a link needs of the device around it. */
export interface LinkPorts<T> {
  readonly now: () => Seconds
  readonly world: World
  readonly self: number
  /** Size of the task's activation on the wire. */
  readonly bytes: (task: T) => number
}

export interface LinkQueueParts<T> {
  readonly ports: LinkPorts<T>
  readonly rules: ContestRules<T>
  readonly to: number
  /** False: the task has been taken elsewhere. */
  readonly beforeSend: (task: T) => boolean
  readonly send: SendTask<T>
  readonly accepted: (task: T) => void
  readonly refused: (task: T) => void
  /** Present where a policy asks before it sends: whether it does for this task, and how. */
  readonly handshake?: Handshake<T> | undefined
}

export interface Handshake<T> {
  readonly needed: (task: T) => boolean
  /** Ask the receiver; `granted` is called once, when it is clear to send. */
  readonly ask: (task: T, granted: () => void) => void
  /** What was cleared is not needed any more. */
  readonly giveBack: () => void
}

/** The tasks that wait for one link. One is written at a time, so that the order stays ours until the last moment. */
export class LinkQueue<T extends LiveTask> {
  readonly #parts: LinkQueueParts<T>
  readonly #ports: LinkPorts<T>
  readonly #queue: ContestQueue<T>
  #writing: { readonly bytes: number; readonly since: Seconds } | undefined
  #waitingBytes = 0
  #pumping = false
  #clearance: 'none' | 'asked' | 'cleared' = 'none'
  #askedAt: Seconds = seconds(0)

  constructor(parts: LinkQueueParts<T>) {
    this.#parts = parts
    this.#ports = parts.ports
    this.#queue = new ContestQueue(parts.rules)
  }

  get size(): number {
    return this.#queue.size + (this.#writing === undefined ? 0 : 1)
  }

  /** Those that wait. */
  tasks(): Iterable<T> {
    return this.#queue.items()
  }

  push(task: T): void {
    this.#waitingBytes += this.#ports.bytes(task)
    this.#queue.push(task)
    this.#pump()
  }

  /** Seconds until a task that is pushed now would start to be sent. */
  backlog(): Seconds {
    const rate = this.#ports.world.link(this.#ports.self, this.#parts.to)?.rate
    if (rate === undefined) return seconds(0)
    const sent = this.#writing === undefined ? 0 : (this.#ports.now() - this.#writing.since) * rate
    const left = this.#writing === undefined ? 0 : Math.max(0, this.#writing.bytes - sent)
    return seconds((this.#waitingBytes + left) / rate)
  }

  /** Take waiting tasks out; the one being written comes back through `refused` if it fails. */
  takeOut(wanted: (task: T) => boolean): T[] {
    const out = this.#queue.takeOut(wanted)
    for (const task of out) this.#waitingBytes -= this.#ports.bytes(task)
    return out
  }

  /** The receiver was lost: what was asked of it or cleared by it means nothing any more. */
  forgetClearance(): void {
    this.#clearance = 'none'
  }

  /** Notices may be lost, and the clearance with them. */
  remind(): void {
    if (this.#clearance !== 'asked' || this.#ports.now() - this.#askedAt < ASK_AGAIN) return
    const task = this.#queue.first()
    if (task === undefined) this.#clearance = 'none'
    else this.#ask(task)
  }

  /** This device itself is leaving: others do not answer it any more, and it asks no more. */
  lookAgain(): void {
    this.#pump()
  }

  /** Not re-entrant: `beforeSend` may push onto this very queue. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (this.#writing === undefined && this.#isClear()) {
        const task = this.#queue.shift()
        if (task === undefined) break
        this.#waitingBytes -= this.#ports.bytes(task)
        if (this.#parts.beforeSend(task)) this.#send(task)
      }
    } finally {
      this.#pumping = false
    }
  }

  /** Whether the first task may be sent now; asks for it where that is needed. */
  #isClear(): boolean {
    const { handshake } = this.#parts
    const { world, self } = this.#ports
    if (handshake === undefined || !world.devices[self]!.up) return true
    const task = this.#queue.first()
    if (task === undefined) {
      if (this.#clearance === 'cleared') {
        this.#clearance = 'none'
        handshake.giveBack()
      }
      return false
    }
    if (this.#clearance === 'cleared' || !handshake.needed(task)) return true
    if (this.#clearance === 'none') this.#ask(task)
    return false
  }

  #ask(task: T): void {
    this.#clearance = 'asked'
    this.#askedAt = this.#ports.now()
    this.#parts.handshake?.ask(task, () => {
      this.#clearance = 'cleared'
      this.#pump()
    })
  }

  /** From here to there, as far as is known. */
  #takes(task: T): number {
    const { world, self, bytes } = this.#ports
    const link = world.link(self, this.#parts.to)
    return link === undefined ? 0 : bytes(task) / link.rate + link.latency
  }

  #send(task: T): void {
    const { now, bytes } = this.#ports
    const { send, to, accepted, refused } = this.#parts
    this.#writing = { bytes: bytes(task), since: now() }
    task.served = seconds(task.served + this.#takes(task))
    if (this.#parts.handshake?.needed(task) === true) this.#clearance = 'none'
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
