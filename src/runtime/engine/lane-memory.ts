import type { Tensor } from '../../core/tensor.ts'
import type { SharedInputs } from './lane-protocol.ts'

/** Bytes of one run. To copy more takes longer than it saves. */
const MOST = 4 * 2 ** 20
/** Bytes of the smallest piece. */
const LEAST = 4096
/** Any type of element may be looked at from there. */
const ALIGNMENT = 64
/** As many runs as may be asked for at once. */
const SPARE = 2

/**
 * Memory that the threads on both sides of a lane see. Inputs are copied into it: what is transferred instead counts as new memory
 * in the garbage collectors of both threads, which then look through all they have for every few dozen megabytes.
 */
export class LaneMemory {
  readonly #spare: SharedArrayBuffer[] = []

  /** @returns undefined where it is too much */
  share(tensors: readonly Tensor[]): SharedInputs | undefined {
    let size = 0
    const inputs = tensors.map(({ name, type, dims, data }) => {
      const at = size
      size = ALIGNMENT * Math.ceil((at + data.byteLength) / ALIGNMENT)
      return { name, type, dims, at, size: data.byteLength }
    })
    if (size > MOST) return undefined
    const memory = this.#take(size)
    const bytes = new Uint8Array(memory)
    for (const [i, { at }] of inputs.entries()) bytes.set(tensors[i]!.data, at)
    return { memory, size, inputs }
  }

  /** The lane has read it. */
  giveBack({ memory }: SharedInputs): void {
    if (this.#spare.length < SPARE) this.#spare.push(memory)
  }

  #take(size: number): SharedArrayBuffer {
    const fits = this.#spare.findIndex(({ byteLength }) => byteLength >= size)
    const [found] = fits < 0 ? [] : this.#spare.splice(fits, 1)
    if (found !== undefined) return found
    this.#spare.shift() // a larger one takes its place
    return new SharedArrayBuffer(Math.max(LEAST, 2 ** Math.ceil(Math.log2(size))))
  }
}
