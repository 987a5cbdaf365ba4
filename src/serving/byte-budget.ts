import { ServingError } from './serving-error.ts'

/** What requests may take of memory all together. */
export class ByteBudget {
  readonly #most: number
  #taken = 0

  constructor(most: number) {
    this.#most = most
  }

  get taken(): number {
    return this.#taken
  }

  /** @throws ServingError where others have taken it: they give it back soon */
  take(bytes: number): void {
    if (this.#taken + bytes > this.#most)
      throw new ServingError('queueFull', `requests of ${this.#most} bytes are being answered already`)
    this.#taken += bytes
  }

  giveBack(bytes: number): void {
    this.#taken -= bytes
  }
}
