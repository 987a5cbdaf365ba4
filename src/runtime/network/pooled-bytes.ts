/**
 * So many bytes of whatever content, where few of Node's pool: to make a memory of its own for each header takes longer than to
 * fill it. Not for what is kept for long, which would keep the 8 KiB around it.
 */
export const pooledBytes = (size: number): Uint8Array<ArrayBuffer> => {
  const { buffer, byteOffset } = Buffer.allocUnsafe(size)
  return new Uint8Array(buffer, byteOffset, size)
}
