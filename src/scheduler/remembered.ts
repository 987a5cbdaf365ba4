/**
 * A function of a resource's number, computed once for each that is asked for. One table serves one function after another: what an
 * earlier one computed does not count.
 */
export class Remembered {
  #values = new Float64Array(0)
  #since = new Float64Array(0)
  #functions = 0

  of(resources: number, compute: (resource: number) => number): (resource: number) => number {
    if (resources > this.#values.length) {
      this.#values = new Float64Array(resources)
      this.#since = new Float64Array(resources)
    }
    const own = ++this.#functions
    const values = this.#values
    const since = this.#since
    return resource => {
      if (since[resource] !== own) {
        values[resource] = compute(resource)
        since[resource] = own
      }
      return values[resource]!
    }
  }
}
