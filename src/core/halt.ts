/** What goes on is to stop at the next place where it can. Asked once; nobody takes it back. */
export class Halt {
  #isAsked = false
  #tell: (() => void) | undefined

  get isAsked(): boolean {
    return this.#isAsked
  }

  ask(): void {
    if (this.#isAsked) return
    this.#isAsked = true
    this.#tell?.()
  }

  /** Whoever it concerns is told, at once where it was asked before. One at most. */
  onAsk(tell: () => void): void {
    this.#tell = tell
    if (this.#isAsked) tell()
  }
}
