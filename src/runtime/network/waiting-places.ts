export const CROWDED = 'others wait for admission too, and it took longest'

/**
 * Places for those that have not proved the key yet. Who comes last is never turned away: an honest device needs a place for
 * a moment, so where all are taken the one goes that has had one for longest, of the host that has most of them.
 */
export class WaitingPlaces<C extends { readonly remoteAddr: { toString(): string } }> {
  readonly #most: number
  /** In the order in which they came. */
  readonly #waiting = new Map<C, { readonly host: string; readonly evict: () => void }>()

  constructor(most: number) {
    this.#most = most
  }

  /** @param one of the host in its address @param evict called, once, when it has to go; it has no place by then */
  enter(one: C, evict: () => void): void {
    const host = `${one.remoteAddr}`.split('/').slice(0, 3).join('/')
    this.#waiting.set(one, { host, evict })
    if (this.#waiting.size <= this.#most) return
    const counts = new Map<string, number>()
    for (const { host: of } of this.#waiting.values()) counts.set(of, (counts.get(of) ?? 0) + 1)
    const largest = Math.max(...counts.values())
    const [longest, found] = [...this.#waiting].find(([, { host: of }]) => counts.get(of) === largest)!
    this.#waiting.delete(longest)
    found.evict()
  }

  leave(one: C): void {
    this.#waiting.delete(one)
  }
}
