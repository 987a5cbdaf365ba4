import type { PolicyHost, Report } from './policy.ts'

/** The part of a report that every policy sends: backlog, and the tasks received from each neighbour. */
export class Reporting {
  readonly #host: PolicyHost
  readonly #received = new Map<number, number>()

  constructor(host: PolicyHost) {
    this.#host = host
  }

  arrived(from: number): void {
    this.#received.set(from, (this.#received.get(from) ?? 0) + 1)
  }

  report(): Report {
    return {
      backlog: this.#host.backlog(),
      commitments: [],
      received: [...this.#received].map(([device, tasks]) => ({ device, tasks }))
    }
  }
}
