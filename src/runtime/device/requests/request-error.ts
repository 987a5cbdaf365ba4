import { type ErrorFacts, TributaryError } from '../../../core/user-error.ts'

/**
 * Why a request has no answer, in one word. `noSuchModel`: none of that name is in the cluster; `badRequest`: what came with it is
 * not what the model takes; `notReady`: some block of the model is nowhere loaded; `queueFull`: too much waits already;
 * `deadline`: it was not begun in time; `cancelled`: nobody waits for it; `stopped`: its device or model has gone; `failed`: it
 * cannot be computed.
 */
export type RequestProblem =
  | 'noSuchModel'
  | 'badRequest'
  | 'notReady'
  | 'queueFull'
  | 'deadline'
  | 'cancelled'
  | 'stopped'
  | 'failed'

/** A request that has no answer. */
export class RequestError extends TributaryError {
  override readonly name = 'RequestError'
  readonly problem: RequestProblem

  constructor(problem: RequestProblem, message: string, facts: ErrorFacts = {}) {
    super(message, { code: problem, facts })
    this.problem = problem
  }
}
