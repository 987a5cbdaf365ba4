/** At most `capacity` entries; the one that was set longest ago makes room. For what strangers can make us remember. */
export class BoundedMap<K, V> {
  readonly #capacity: number
  readonly #entries = new Map<K, V>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  set(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    const [oldest] = this.#entries.keys()
    if (this.#entries.size > this.#capacity) this.#entries.delete(oldest as K)
  }

  delete(key: K): boolean {
    return this.#entries.delete(key)
  }
}
