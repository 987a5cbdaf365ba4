import type { Tensor } from '../../core/tensor.ts'
import { copyBytes } from '../copy-bytes.ts'
import type { SharedInput } from './lane-protocol.ts'

/** Any type of element may be looked at from there. */
const ALIGNMENT = 64

/** Bytes that are kept for the next run. */
const MOST = 4 * 2 ** 20

const aligned = (size: number): number => ALIGNMENT * Math.ceil(size / ALIGNMENT)

/** What ONNX Runtime reads in this thread: it takes no memory that several see. One run at a time. */
export class LaneInputs {
  #own = new ArrayBuffer(0)

  /** Until it is called again. */
  of(inputs: readonly SharedInput[]): readonly Tensor[] {
    const size = inputs.reduce((sum, input) => sum + aligned(input.size), 0)
    const memory = this.#ofSize(size)
    let next = 0
    return inputs.map(({ name, type, dims, memory: from, at, size: bytes }) => {
      const data = new Uint8Array(memory, next, bytes)
      copyBytes(new Uint8Array(from, at, bytes), data)
      next += aligned(bytes)
      return { name, type, dims, data }
    })
  }

  #ofSize(size: number): ArrayBuffer {
    if (size > MOST) return new ArrayBuffer(size)
    if (this.#own.byteLength < size) this.#own = new ArrayBuffer(2 ** Math.ceil(Math.log2(size)))
    return this.#own
  }
}
