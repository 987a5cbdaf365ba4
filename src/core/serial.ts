/** Runs jobs one at a time, in order. A failed job rejects for its caller and nobody else. */
export class Serial {
  #tail: Promise<unknown> = Promise.resolve()

  run<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(job)
    this.#tail = result.catch(() => {}) // keeps the chain alive; `result` still rejects
    return result
  }
}
