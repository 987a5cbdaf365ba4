import { UserError } from '../../core/user-error.ts'
import { withFlags } from '../with-flags.ts'
import type { FlagOrigin } from './flag-origin.ts'

/** Collects what is wrong with flags, so that all of it is told at once, each with the place where it stands. */
export class FlagProblems {
  readonly #origin: FlagOrigin
  readonly #lines: string[] = []

  constructor(origin: FlagOrigin) {
    this.#origin = origin
  }

  /**
   * What `parse` makes of a flag's value; where it throws a UserError that is noted.
   * @param flag as on the command line, without "--" @param text the value that is wrong then
   * @returns `otherwise` in its place: nothing is done with it, as `refuse` throws
   */
  check<T>(flag: string, text: string | undefined, parse: () => T, otherwise: T): T {
    try {
      return parse()
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      this.add(flag, text, withFlags(error))
      return otherwise
    }
  }

  add(flag: string, text: string | undefined, message: string): void {
    const place = this.#origin.place(flag, text)
    const line = place === undefined ? message : `${place}: ${message.replace(`--${flag}`, flag)}`
    if (!this.#lines.includes(line)) this.#lines.push(line)
  }

  /** @throws UserError with a line for each, where there is one */
  refuse(): void {
    if (this.#lines.length > 0) throw new UserError(this.#lines.join('\n'))
  }
}
