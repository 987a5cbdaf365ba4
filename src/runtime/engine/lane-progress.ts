const HALTED = 0
const AT = 1

/** Of blocks that run one after the other, what both threads see: whether it is to be the last, and at which it is. */
export class LaneProgress {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array

  constructor(memory = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory
    this.#words = new Int32Array(memory)
  }

  halt(): void {
    Atomics.store(this.#words, HALTED, 1)
  }

  get isHalted(): boolean {
    return Atomics.load(this.#words, HALTED) === 1
  }

  begin(block: number): void {
    Atomics.store(this.#words, AT, block)
  }

  /** The block that runs, or is to run first. */
  get at(): number {
    return Atomics.load(this.#words, AT)
  }
}
