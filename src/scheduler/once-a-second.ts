import type { Seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'

/**
 * Keeps what was derived from a world, by key, until the world has changed and a second has passed: measured times move
 * a little with every block that runs, and what follows from them need not be found anew each time. Who is up, and what
 * is carried where, counts at once.
 */
export class OnceASecond<T> {
  readonly #world: World
  readonly #kept = new Map<
    string,
    { readonly value: T; readonly version: number; readonly shape: string; readonly at: Seconds }
  >()
  #shapeVersion = -1
  #shape = ''

  constructor(world: World) {
    this.#world = world
  }

  get(key: string, now: Seconds, derive: () => T): T {
    const kept = this.#kept.get(key)
    const { version } = this.#world
    if (kept !== undefined && (kept.version === version || (now - kept.at < 1 && kept.shape === this.#shapeNow())))
      return kept.value
    const value = derive()
    this.#kept.set(key, { value, version, shape: this.#shapeNow(), at: now })
    return value
  }

  /** Who is up and carries what. */
  #shapeNow(): string {
    const { devices, models, links, version } = this.#world
    if (this.#shapeVersion === version) return this.#shape
    this.#shapeVersion = version
    let shape = ''
    for (const n of devices.keys()) {
      shape += devices[n]!.up ? '/' : '!'
      for (const [m, { work }] of models.entries())
        for (const k of work.keys()) shape += this.#world.carries(n, m, k) ? 1 : 0
      for (const link of links[n]!) shape += link.up ? 1 : 0
    }
    this.#shape = shape
    return shape
  }
}
