import { InvariantError } from '../../core/invariant-error.ts'
import { JobGuard, type JobGuardParts } from '../../core/job-guard.ts'

/** Errors of a program, not of what happens to it. */
const FAULTY = [TypeError, RangeError, ReferenceError, InvariantError]

/** Jobs go on as they do in production; but that one has an error of its own breaks a law. */
export class WatchedGuard extends JobGuard {
  readonly #broken: (what: string) => void

  constructor(parts: JobGuardParts, broken: (what: string) => void) {
    super(parts)
    this.#broken = broken
  }

  override failed(job: string, error: unknown): void {
    if (FAULTY.some(kind => error instanceof kind)) this.#broken(`${job} fails: ${(error as Error).stack}`)
    super.failed(job, error)
  }
}
