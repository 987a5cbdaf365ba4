import type { Tensor } from '../../core/tensor.ts'
import type { SharedInputs } from './lane-protocol.ts'

/** What ONNX Runtime reads in this thread: it takes no memory that several see. One run at a time. */
export class LaneInputs {
  #own = new ArrayBuffer(0)

  /** Until it is called again. */
  of({ memory, size, inputs }: SharedInputs): readonly Tensor[] {
    if (this.#own.byteLength < size) this.#own = new ArrayBuffer(memory.byteLength)
    new Uint8Array(this.#own).set(new Uint8Array(memory, 0, size))
    return inputs.map(({ at, size: bytes, ...tensor }) => ({ ...tensor, data: new Uint8Array(this.#own, at, bytes) }))
  }
}
