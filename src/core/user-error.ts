/**
 * Something the user can mend: wrong use or unreadable input. The command line prints the message as one
 * line and exits with 2, so it must name the file or flag, the value, the limit and the remedy.
 */
export class UserError extends Error {
  override readonly name = 'UserError'
}

/**
 * The question was understood and the answer is "no": infeasible, lost data, a mismatch.
 * The command line prints the message and exits with 1.
 */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError'
}
