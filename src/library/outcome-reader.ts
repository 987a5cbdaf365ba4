import type { Outcome } from './outcome.ts'

/**
 * Outcomes on their way to a reader that may be slow: `room` waits while `capacity` of them lie here, so that whatever makes
 * them waits too. One reader.
 */
export class OutcomeReader {
  readonly #capacity: number
  readonly #outcomes: Outcome[] = []
  #wake: () => void = () => {}
  /** Places that were given to outcomes that have not come yet. */
  #reserved = 0
  #room: (() => void)[] = []
  #end: { readonly error?: unknown } | undefined

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** A place for the next outcome; the end makes room for all. */
  async room(): Promise<void> {
    while (this.#outcomes.length + this.#reserved >= this.#capacity && this.#end === undefined)
      await new Promise<void>(room => this.#room.push(room))
    this.#reserved++
  }

  deliver(outcome: Outcome): void {
    this.#reserved = Math.max(0, this.#reserved - 1)
    this.#outcomes.push(outcome)
    this.#wake()
  }

  /** Nothing more comes. @param failure what the reader is thrown after what lies here */
  close(failure?: { readonly error: unknown }): void {
    this.#end ??= failure ?? {}
    this.#wake()
    this.#makeRoom()
  }

  /** @throws what it was closed with */
  async next(): Promise<IteratorResult<Outcome, undefined>> {
    for (;;) {
      const value = this.#outcomes.shift()
      this.#makeRoom()
      if (value !== undefined) return { done: false, value }
      if (this.#end !== undefined) {
        if ('error' in this.#end) throw this.#end.error
        return { done: true, value: undefined }
      }
      await new Promise<void>(wake => {
        this.#wake = wake
      })
    }
  }

  #makeRoom(): void {
    for (const room of this.#room.splice(0)) room()
  }
}
