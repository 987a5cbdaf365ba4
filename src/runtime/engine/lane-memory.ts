import type { Tensor } from '../../core/tensor.ts'
import { copyBytes } from '../copy-bytes.ts'
import type { SharedInput } from './lane-protocol.ts'

/** Bytes of one run. To copy more takes longer than it saves. */
const MOST = 4 * 2 ** 20
/** Bytes of the smallest piece. */
const LEAST = 4096
/** As many runs as may be asked for at once. */
const SPARE = 2

/** Inputs in memory that both threads see. */
export interface Shared {
  readonly inputs: readonly SharedInput[]
  /** The lane has read them. */
  giveBack(): void
}

/**
 * Memory that the threads on both sides of a lane see. Inputs are copied into it, unless they are in such already: what is
 * transferred instead counts as new memory in the garbage collectors of both threads, which then look through all they have for
 * every few dozen megabytes.
 */
export class LaneMemory {
  readonly #spare: SharedArrayBuffer[] = []

  /** @returns undefined where it is too much */
  share(tensors: readonly Tensor[]): Shared | undefined {
    const size = tensors.reduce((sum, { data }) => sum + (isShared(data) ? 0 : data.byteLength), 0)
    if (size > MOST) return undefined
    const own = size === 0 ? undefined : this.#take(size)
    let next = 0
    const inputs = tensors.map(({ name, type, dims, data }) => {
      const { buffer, byteOffset, byteLength } = data
      if (own === undefined || isShared(data))
        return { name, type, dims, size: byteLength, memory: buffer, at: byteOffset }
      const at = next
      copyBytes(data, new Uint8Array(own), at)
      next += byteLength
      return { name, type, dims, size: byteLength, memory: own, at }
    })
    return { inputs, giveBack: () => this.#giveBack(own) }
  }

  #giveBack(memory: SharedArrayBuffer | undefined): void {
    if (memory !== undefined && this.#spare.length < SPARE) this.#spare.push(memory)
  }

  #take(size: number): SharedArrayBuffer {
    const fits = this.#spare.findIndex(({ byteLength }) => byteLength >= size)
    const [found] = fits < 0 ? [] : this.#spare.splice(fits, 1)
    if (found !== undefined) return found
    this.#spare.shift() // a larger one takes its place
    return new SharedArrayBuffer(Math.max(LEAST, 2 ** Math.ceil(Math.log2(size))))
  }
}

const isShared = ({ buffer }: Tensor['data']): boolean => (buffer as ArrayBufferLike) instanceof SharedArrayBuffer
