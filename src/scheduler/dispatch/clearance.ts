import { type Seconds, seconds } from '../../core/units.ts'

interface Request {
  readonly from: number
  readonly weight: number
  readonly grant: () => void
}

/** A task that was cleared is here by then, or does not come. */
const LONGEST: Seconds = seconds(10)

/**
 * The receiver's side of request-to-compute / clear-to-compute (PA-MDI, arXiv 2412.12371): neighbours ask before they
 * send, one at a time is cleared, the heaviest first, ties by arrival. A clearance ends when the task is there, when it
 * is given back, or when the neighbour is lost; or when others ask, and it has lasted so long that a notice must have been lost.
 */
export class Clearance {
  readonly #requests: Request[] = []
  #cleared: number | undefined
  #clearedAt: Seconds = seconds(0)

  /** Who asks again asks for the same. */
  ask(request: Request, now: Seconds): void {
    const known = this.#requests.findIndex(({ from }) => from === request.from)
    if (known === -1) this.#requests.push(request)
    else this.#requests[known] = request
    if (this.#cleared !== undefined && now - this.#clearedAt > LONGEST) this.#cleared = undefined
    this.#next(now)
  }

  /** The task of `from` is there, or will not come. */
  end(from: number, now: Seconds): void {
    if (this.#cleared !== from) return
    this.#cleared = undefined
    this.#next(now)
  }

  lost(from: number, now: Seconds): void {
    for (let i = this.#requests.length - 1; i >= 0; i--)
      if (this.#requests[i]!.from === from) this.#requests.splice(i, 1)
    this.end(from, now)
  }

  #next(now: Seconds): void {
    if (this.#cleared !== undefined || this.#requests.length === 0) return
    let best = 0
    for (const [i, { weight }] of this.#requests.entries()) if (weight > this.#requests[best]!.weight) best = i
    const [request] = this.#requests.splice(best, 1)
    this.#cleared = request!.from
    this.#clearedAt = now
    request!.grant()
  }
}
