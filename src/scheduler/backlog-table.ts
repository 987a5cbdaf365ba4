import type { Seconds } from '../core/units.ts'
import { seconds } from '../core/units.ts'
import type { Report } from './policy.ts'

/**
 * How much work waits at each other device: what it last said, plus what was sent to it and had not arrived when it
 * said so. Which tasks had arrived is known exactly, because a report counts the tasks received from each neighbour.
 */
export class BacklogTable {
  readonly #self: number
  readonly #said = new Map<number, number>()
  /** Work of the tasks sent to a device and not yet confirmed, oldest first, and how many were confirmed before. */
  readonly #sent = new Map<number, { confirmed: number; work: number[] }>()

  constructor(self: number) {
    this.#self = self
  }

  /** Work at `device` in seconds of its own time. 0 for a device that has said nothing. */
  backlog(device: number): Seconds {
    const sent = this.#sent.get(device)?.work ?? []
    return seconds(sent.reduce((a, b) => a + b, this.#said.get(device) ?? 0))
  }

  sent(to: number, work: Seconds): void {
    const entry = this.#sent.get(to) ?? { confirmed: 0, work: [] }
    entry.work.push(work)
    this.#sent.set(to, entry)
  }

  heard(from: number, report: Report): void {
    this.#said.set(from, report.backlog)
    const received = report.received.find(r => r.device === this.#self)?.tasks ?? 0
    const entry = this.#sent.get(from)
    if (entry === undefined) return
    // A smaller count than before: the device started anew, and what it had is gone.
    const news = received < entry.confirmed ? entry.work.length : received - entry.confirmed
    entry.work.splice(0, news)
    entry.confirmed = received
  }

  /** The device was lost: what was said of it or sent to it means nothing any more. */
  forget(device: number): void {
    this.#said.delete(device)
    this.#sent.delete(device)
  }
}
