/** Counters of processes that may start anew, and then count from nothing: what they counted since the run began. */
export class RunCounters {
  readonly #seen = new Map<string, { total: number; last: number }>()
  #atStart = new Map<string, number>()

  /** What the counter says now. */
  note(name: string, value: number): void {
    const known = this.#seen.get(name)
    if (known === undefined) this.#seen.set(name, { total: value, last: value })
    else {
      known.total += value >= known.last ? value - known.last : value
      known.last = value
    }
  }

  /** The run begins: what was counted before is of no interest. */
  begin(): void {
    this.#atStart = new Map([...this.#seen].map(([name, { total }]) => [name, total]))
  }

  get(name: string): number {
    return (this.#seen.get(name)?.total ?? 0) - (this.#atStart.get(name) ?? 0)
  }
}
