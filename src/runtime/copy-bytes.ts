import { Buffer } from 'node:buffer'

/** Fewer are copied faster than the other way is begun. */
const FEW = 4096

/**
 * Copies `source` to where `target` has it at `at`. V8 copies into and out of memory that threads share word by word, in two to three
 * times the time; Node's `fill` copies as memory goes.
 * @throws RangeError where there is no room for it
 */
export const copyBytes = (source: Uint8Array, target: Uint8Array, at = 0): void => {
  const { byteLength } = source
  if (byteLength < FEW) {
    target.set(source, at)
    return
  }
  if (at + byteLength > target.byteLength)
    throw new RangeError(`${byteLength} B do not fit behind ${at} of ${target.byteLength} B`)
  Buffer.from(target.buffer, target.byteOffset, target.byteLength).fill(source, at, at + byteLength)
}
