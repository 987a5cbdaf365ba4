import { nearest } from '../../core/nearest.ts'
import { UserError } from '../../core/user-error.ts'

export const SORTINGS = ['use', 'waiting', 'name'] as const
export type SortedBy = (typeof SORTINGS)[number]

/** By what is sorted now. */
export class Sorting {
  #at: number

  /** @throws UserError */
  constructor(text: string) {
    this.#at = (SORTINGS as readonly string[]).indexOf(text)
    if (this.#at >= 0) return
    const near = nearest(text, SORTINGS)
    const meant = near === undefined ? '' : `, did you mean "${near}"?`
    throw new UserError(`--sort "${text}" is none of ${SORTINGS.join(', ')}${meant}`)
  }

  get by(): SortedBy {
    return SORTINGS[this.#at]!
  }

  get next(): SortedBy {
    return SORTINGS[(this.#at + 1) % SORTINGS.length]!
  }

  change(): true {
    this.#at = (this.#at + 1) % SORTINGS.length
    return true
  }
}
