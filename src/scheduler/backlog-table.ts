import type { Seconds } from '../core/units.ts'
import { seconds } from '../core/units.ts'
import type { Report, TaskState } from './policy.ts'

interface Sent {
  readonly source: string
  readonly datum: number
  readonly work: Seconds
}

/**
 * How much work waits at each other device: what it last said, plus what was sent to it and had not arrived when it
 * said so. Which tasks had arrived is known exactly, because a report counts the tasks received from each neighbour.
 */
export class BacklogTable {
  readonly #self: number
  readonly #said = new Map<number, number>()
  /** Tasks sent to a device and not yet confirmed, oldest first, and how many were confirmed before. */
  readonly #sent = new Map<number, { confirmed: number; tasks: Sent[] }>()

  constructor(self: number) {
    this.#self = self
  }

  /** Work at `device` in seconds of its own time. 0 for a device that has said nothing. */
  backlog(device: number): Seconds {
    const sent = this.#sent.get(device)?.tasks ?? []
    return seconds(sent.reduce((sum, { work }) => sum + work, this.#said.get(device) ?? 0))
  }

  /** @param work of the task there, in seconds of that device's time */
  sent({ source, datum }: TaskState, to: number, work: Seconds): void {
    const entry = this.#sent.get(to) ?? { confirmed: 0, tasks: [] }
    entry.tasks.push({ source, datum, work })
    this.#sent.set(to, entry)
  }

  /** It was sent and not taken: no report will ever count it. */
  returned({ source, datum }: TaskState, from: number): void {
    const tasks = this.#sent.get(from)?.tasks ?? []
    const last = tasks.findLastIndex(sent => sent.source === source && sent.datum === datum)
    if (last !== -1) tasks.splice(last, 1)
  }

  /** The device started anew: what it said and what it had is gone. */
  forget(device: number): void {
    this.#said.delete(device)
    this.#sent.delete(device)
  }

  heard(from: number, report: Report): void {
    this.#said.set(from, report.backlog)
    const received = report.received.find(r => r.device === this.#self)?.tasks ?? 0
    const entry = this.#sent.get(from)
    if (entry === undefined) return
    // A smaller count than before: the device started anew, and what it had is gone.
    const news = received < entry.confirmed ? entry.tasks.length : received - entry.confirmed
    entry.tasks.splice(0, news)
    entry.confirmed = received
  }
}
