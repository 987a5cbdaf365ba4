interface Request {
  readonly from: number
  readonly weight: number
  readonly grant: () => void
}

/**
 * The receiver's side of request-to-compute / clear-to-compute (PA-MDI, arXiv 2412.12371): neighbours ask before they
 * send, one at a time is cleared, the heaviest first, ties by arrival. A clearance ends when the task is there, when it
 * is given back, or when the neighbour is lost.
 */
export class Clearance {
  readonly #requests: Request[] = []
  #cleared: number | undefined

  ask(request: Request): void {
    this.#requests.push(request)
    this.#next()
  }

  /** The task of `from` is there, or will not come. */
  end(from: number): void {
    if (this.#cleared !== from) return
    this.#cleared = undefined
    this.#next()
  }

  lost(from: number): void {
    for (let i = this.#requests.length - 1; i >= 0; i--)
      if (this.#requests[i]!.from === from) this.#requests.splice(i, 1)
    this.end(from)
  }

  #next(): void {
    if (this.#cleared !== undefined || this.#requests.length === 0) return
    let best = 0
    for (const [i, { weight }] of this.#requests.entries()) if (weight > this.#requests[best]!.weight) best = i
    const [request] = this.#requests.splice(best, 1)
    this.#cleared = request!.from
    request!.grant()
  }
}
