/** So many turns in a row go to a party that says or has too much while others wait; the next is another's. */
export const MOST_TURNS = 4
/** Who has so many waiting has more than a window of data here. */
export const MANY = 64
/** Who weighs more than so many times another says more than devices do that share a cluster. */
export const HEAVY = 10

interface Streak {
  party: unknown
  turns: number
}

/**
 * Whose turn it is, where those who wait say themselves how urgent they are: of several parties none has all turns, whatever it says.
 * An item belongs to one party of each kind, such as whose it is and who brought it.
 */
export class FairTurns<T> {
  readonly #partiesOf: (item: T) => readonly unknown[]
  /** Of each kind: how many of each party wait. */
  readonly #waiting: Map<unknown, number>[] = []
  readonly #streaks: Streak[] = []
  #size = 0

  constructor(partiesOf: (item: T) => readonly unknown[]) {
    this.#partiesOf = partiesOf
  }

  came(item: T): void {
    this.#size++
    for (const [kind, party] of this.#partiesOf(item).entries()) {
      this.#waiting[kind] ??= new Map()
      this.#waiting[kind].set(party, this.#count(kind, party) + 1)
    }
  }

  /** It waits no longer. */
  left(item: T): void {
    this.#size--
    for (const [kind, party] of this.#partiesOf(item).entries()) {
      const count = this.#count(kind, party) - 1
      if (count === 0) this.#waiting[kind]!.delete(party)
      else this.#waiting[kind]!.set(party, count)
    }
  }

  /** Whether it has more than a window of data here, of one party at least. */
  isOneOfMany(item: T): boolean {
    return this.#partiesOf(item).some((party, kind) => this.#count(kind, party) >= MANY)
  }

  /** Asked of the most urgent one. @returns of whom others may be served instead; undefined: it has not had many turns */
  instead(item: T): ((other: T) => boolean) | undefined {
    for (const [kind, party] of this.#partiesOf(item).entries()) {
      const streak = this.#streaks[kind]
      if (streak === undefined || streak.party !== party || streak.turns < MOST_TURNS) continue
      if (this.#othersWait(kind, party)) return other => this.#partiesOf(other)[kind] !== party
    }
    return undefined
  }

  /** It is served now, and still counts as waiting. */
  served(item: T): void {
    for (const [kind, party] of this.#partiesOf(item).entries()) {
      const streak = this.#streaks[kind]
      const turns = streak !== undefined && streak.party === party ? streak.turns : 0
      this.#streaks[kind] = { party, turns: this.#othersWait(kind, party) ? turns + 1 : 0 }
    }
  }

  #othersWait(kind: number, party: unknown): boolean {
    return this.#size > this.#count(kind, party)
  }

  #count(kind: number, party: unknown): number {
    return this.#waiting[kind]?.get(party) ?? 0
  }
}
