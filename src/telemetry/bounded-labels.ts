/** What those are called that there is no room for. */
const OTHER = 'other'

/** Characters of a value. */
const MOST_CHARACTERS = 128

/**
 * The values that a label may have. They come from other devices and from clients, so there is room for so many only: the first ones
 * keep their names, all later ones are `other` together.
 */
export class BoundedLabels {
  readonly #room: number
  readonly #known = new Map<string, Set<string>>()

  /** @param room values of each label */
  constructor(room = 100) {
    this.#room = room
  }

  value(label: string, value: string): string {
    const short = value.slice(0, MOST_CHARACTERS)
    const known = this.#known.get(label) ?? new Set()
    this.#known.set(label, known)
    if (known.has(short)) return short
    if (known.size >= this.#room) return OTHER
    known.add(short)
    return short
  }
}
