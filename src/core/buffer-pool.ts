/** Smaller ones are made anew as fast. */
const LEAST = 65_536
/** Bytes that are kept. */
const MOST = 16 * 2 ** 20

/**
 * Large buffers that are used again. A new one of hundreds of kilobytes is cleared by the system and, worse, makes the garbage
 * collector look through the whole heap for others like it, every few dozen of them.
 */
export class BufferPool {
  readonly #make: (size: number) => ArrayBuffer
  readonly #spare = new Map<number, ArrayBuffer[]>()
  #kept = 0

  /** @param make large ones. Default: memory of this thread */
  constructor(make = (size: number) => new ArrayBuffer(size)) {
    this.#make = make
  }

  /** Of exactly that size, in a buffer of its own; what stands in it is anything. */
  take(size: number): Uint8Array<ArrayBuffer> {
    const spare = this.#spare.get(size)?.pop()
    if (spare === undefined) return size < LEAST ? new Uint8Array(size) : new Uint8Array(this.#make(size))
    this.#kept -= size
    return new Uint8Array(spare)
  }

  /** Nobody has it any more. One that is small, or a part of another, is left to the garbage collector. */
  give({ buffer, byteLength }: Uint8Array<ArrayBuffer>): void {
    if (byteLength < LEAST || buffer.byteLength !== byteLength || byteLength > MOST) return
    this.#makeRoom(byteLength)
    const spare = this.#spare.get(byteLength) ?? []
    this.#spare.delete(byteLength)
    this.#spare.set(byteLength, spare) // the size that was used last is the last to go
    spare.push(buffer)
    this.#kept += byteLength
  }

  #makeRoom(size: number): void {
    for (const [other, spare] of this.#spare) {
      while (this.#kept + size > MOST && spare.pop() !== undefined) this.#kept -= other
      if (spare.length === 0 && other !== size) this.#spare.delete(other)
      if (this.#kept + size <= MOST) return
    }
  }
}
