/**
 * Whether the network is slower than a source: its window was full, and since then neither had the source to wait for a
 * datum of its own, nor was half of the window ever empty when one was admitted. Results come home in bunches: that there
 * is some room for a moment says nothing.
 */
export class BacklogSign {
  readonly #window: number
  #isBacklogged = false

  /** @param window data that may be in flight */
  constructor(window: number) {
    this.#window = window
  }

  get isBacklogged(): boolean {
    return this.#isBacklogged
  }

  /**
   * A datum is admitted.
   * @param room how many more may be, after it
   * @param waitedForIt the source had to wait until the datum was there
   */
  admitted(room: number, waitedForIt: boolean): void {
    if (room === 0) this.#isBacklogged = true
    else if (waitedForIt || room > this.#window / 2) this.#isBacklogged = false
  }
}
