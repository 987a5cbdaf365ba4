/** Characters of one that is kept. */
const LONGEST = 4096
const MOST = 64

/** What was made of the last requests' heads: clients say the same before the tensors of each. */
export class RecentHeads<T> {
  readonly #made = new Map<string, T>()

  /** @param make throws where it is none: that is not kept */
  of(text: string, make: (text: string) => T): T {
    const known = this.#made.get(text)
    if (known !== undefined) return known
    const made = make(text)
    if (text.length > LONGEST) return made
    if (this.#made.size >= MOST) this.#made.clear()
    this.#made.set(text, made)
    return made
  }
}
