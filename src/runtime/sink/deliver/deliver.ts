import type { Seconds } from '../../../core/units.ts'
import type { ErrorDetails } from '../../../core/user-error.ts'
import { UserError } from '../../../core/user-error.ts'

/** Hands lines over to whoever is at the other end. */
export interface Deliverer {
  /** So many lines at a time. */
  readonly most: number
  /**
   * Resolves when the other end has them; the same lines may come again after a failure.
   * @throws Undelivered; with whatever else it throws, it is tried again too
   */
  deliver(lines: readonly string[], signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export interface UndeliveredDetails extends ErrorDetails {
  /** The other end will never take these lines: trying again is no use. */
  readonly isFinal?: boolean
  /** The other end asked not to be tried before. */
  readonly after?: Seconds | undefined
}

/** The other end is away, or has refused. */
export class Undelivered extends UserError {
  readonly isFinal: boolean
  readonly after: Seconds | undefined

  constructor(message: string, { isFinal = false, after, ...details }: UndeliveredDetails = {}) {
    super(message, details)
    this.isFinal = isFinal
    this.after = after
  }
}
