/**
 * Whether the network is slower than a source: its data are there sooner than its window has room for them. So it is taken
 * to be while the window fills for the first time, and once it was full, until the source has to wait for a datum of its own,
 * or half of the window is empty when one is admitted. Results come home in bunches: that there is some room for a moment
 * says nothing.
 */
export class BacklogSign {
  /** Data that may be in flight. */
  window: number
  #isBacklogged = true
  /** Admissions until the window must have filled. */
  #filling: number

  /** @param window data that may be in flight */
  constructor(window: number) {
    this.window = window
    this.#filling = window
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
    this.#filling = waitedForIt ? 0 : Math.max(0, this.#filling - 1)
    if (room === 0) this.#isBacklogged = true
    else if (waitedForIt || (this.#filling === 0 && room > this.window / 2)) this.#isBacklogged = false
  }
}
