import type { Outcome } from './outcome.ts'

/**
 * Outcomes on their way to a reader that may be slow: `deliver` waits while `capacity` of them lie here, so that whatever makes
 * them waits too. One reader.
 */
export class OutcomeReader {
  readonly #capacity: number
  readonly #outcomes: Outcome[] = []
  #wake: () => void = () => {}
  #room: (() => void)[] = []
  #end: { readonly error?: unknown } | undefined

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  async deliver(outcome: Outcome): Promise<void> {
    this.#outcomes.push(outcome)
    this.#wake()
    while (this.#outcomes.length > this.#capacity && this.#end === undefined)
      await new Promise<void>(room => this.#room.push(room))
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
