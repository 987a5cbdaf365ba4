/** What an error is about, for programs: numbers, names, files. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | readonly string[]>>

export interface ErrorDetails {
  /** What went wrong, in one word for programs. */
  readonly code?: string | undefined
  readonly facts?: ErrorFacts | undefined
  readonly cause?: unknown
}

/**
 * What this package throws on purpose. `code` says what it is in one word that stays the same from version to version,
 * `facts` what it is about, `message` both in a line for people.
 */
export class TributaryError extends Error {
  override readonly name: string = 'TributaryError'
  readonly code: string
  readonly facts: ErrorFacts

  constructor(message: string, { code = 'failed', facts = {}, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? {} : { cause })
    this.code = code
    this.facts = facts
  }
}

/**
 * Something the user can mend: wrong use or unreadable input. The command line prints the message as one
 * line and exits with 2, so it must name the file or flag, the value, the limit and the remedy.
 */
export class UserError extends TributaryError {
  override readonly name: string = 'UserError'

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { ...details, code: details.code ?? 'invalid' })
  }
}

/**
 * The question was understood and the answer is "no": infeasible, lost data, a mismatch.
 * The command line prints the message and exits with 1.
 */
export class NoAnswerError extends TributaryError {
  override readonly name: string = 'NoAnswerError'

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { ...details, code: details.code ?? 'noAnswer' })
  }
}
