/** What is told of a link: bytes per second, and seconds. */
export interface ToldLink {
  readonly rate: number
  readonly latency: number
}

/** What has moved by less of itself, or a latency by less than so many seconds, is not news. */
const SHARE = 0.05
const LEAST_LATENCY = 1e-4

/**
 * Measures of links as the others are told them. They move a little with every message; told each time, they would be most of
 * what a device of a large cluster says.
 */
export class ToldLinks {
  readonly #told = new Map<string, ToldLink>()

  /** What is told now of the link to that device: what was told before, unless it has moved. */
  of(to: string, { rate, latency }: ToldLink): ToldLink {
    const told = this.#told.get(to)
    if (told !== undefined && isNear(told.rate, rate, 0) && isNear(told.latency, latency, LEAST_LATENCY)) return told
    const news = { rate, latency }
    this.#told.set(to, news)
    return news
  }

  /** No others are spoken of any more. */
  keepOnly(to: ReadonlySet<string>): void {
    for (const one of this.#told.keys()) if (!to.has(one)) this.#told.delete(one)
  }

  forget(to: string): void {
    this.#told.delete(to)
  }
}

const isNear = (told: number, measured: number, least: number): boolean =>
  Math.abs(measured - told) <= Math.max(least, SHARE * told)
