/**
 * Of each block of a model, a time that no device is below. It follows times that fall at once, and those that rise when
 * they are all looked at again, which is when as many have changed as there are: a look then costs each change the same.
 */
export class LeastTimes {
  readonly #least: Float64Array
  #changes = Number.POSITIVE_INFINITY

  constructor(blocks: number) {
    this.#least = new Float64Array(blocks)
  }

  changed(block: number, time: number): void {
    this.#changes++
    if (time < this.#least[block]!) this.#least[block] = time
  }

  /** @param timeOf of so many devices */
  of(devices: number, timeOf: (device: number, block: number) => number): Float64Array {
    if (this.#changes < devices * this.#least.length) return this.#least
    this.#changes = 0
    this.#least.fill(Number.POSITIVE_INFINITY)
    for (let n = 0; n < devices; n++)
      for (let k = 0; k < this.#least.length; k++) this.#least[k] = Math.min(this.#least[k]!, timeOf(n, k))
    return this.#least
  }
}
