import { type ErrorDetails, TributaryError } from './user-error.ts'

/**
 * What must always hold does not: the program is wrong, and going on could lose data or count them twice. Whoever runs
 * jobs that go on after errors does not go on after this one.
 */
export class InvariantError extends TributaryError {
  override readonly name = 'InvariantError'

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { ...details, code: details.code ?? 'invariant' })
  }
}
