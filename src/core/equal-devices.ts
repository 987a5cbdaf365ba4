import type { LinkView, World } from './world.ts'

/** Whether two devices are alike in themselves: what they run in which time, what they have room for. */
export type IsAlike = (a: number, b: number) => boolean

/** Numbers that differ by no more than a share of the larger; both missing are alike. */
export const isNear = (a: number | undefined, b: number | undefined, tolerance: number): boolean =>
  a === b || (a !== undefined && b !== undefined && Math.abs(a - b) <= tolerance * Math.max(a, b))

/**
 * Parts devices into groups of equal ones: alike in themselves, and linked alike to every other device, so that whatever is
 * true of a way over one is true of the same way over another. Groups and members in the order in which they are given.
 * @param tolerance by what share times, rates and latencies of equal devices may differ
 */
export const equalDevices = (
  world: World,
  devices: readonly number[],
  isAlike: IsAlike,
  tolerance: number
): readonly (readonly number[])[] => {
  const links = new LinkTable(world, tolerance)
  const groups: number[][] = []
  for (const n of devices) {
    const group = groups.find(([first]) => isAlike(first!, n) && links.areAlike(first!, n))
    if (group === undefined) groups.push([n])
    else group.push(n)
  }
  return groups
}

/** Who reaches whom how fast; made when it is first asked for, since it is as large as the network. */
class LinkTable {
  readonly #world: World
  readonly #tolerance: number
  #out: readonly ReadonlyMap<number, LinkView>[] | undefined

  constructor(world: World, tolerance: number) {
    this.#world = world
    this.#tolerance = tolerance
  }

  areAlike(a: number, b: number): boolean {
    this.#out ??= this.#world.links.map(links => new Map(links.map(link => [link.to, link])))
    if (!this.#isSame(this.#link(a, b), this.#link(b, a))) return false
    for (let x = 0; x < this.#world.devices.length; x++) {
      if (x === a || x === b) continue
      if (!this.#isSame(this.#link(a, x), this.#link(b, x)) || !this.#isSame(this.#link(x, a), this.#link(x, b)))
        return false
    }
    return true
  }

  #link(from: number, to: number): LinkView | undefined {
    const link = this.#out![from]!.get(to)
    return link?.up === true && this.#world.devices[from]!.up && this.#world.devices[to]!.up ? link : undefined
  }

  #isSame(a: LinkView | undefined, b: LinkView | undefined): boolean {
    return isNear(a?.rate, b?.rate, this.#tolerance) && isNear(a?.latency, b?.latency, this.#tolerance)
  }
}
