/**
 * A value as ASN.1's distinguished encoding rules write it.
 *
 * Source: ITU-T X.690, 8.1
 *
 * @param tag its first byte: class, whether it holds values, number
 * @param content in its order
 */
export const writeDer = (tag: number, ...content: readonly Uint8Array[]): Uint8Array => {
  const length = content.reduce((sum, { length: own }) => sum + own, 0)
  return Buffer.concat([Uint8Array.of(tag, ...lengthBytes(length)), ...content])
}

const lengthBytes = (length: number): readonly number[] => {
  if (length < 0x80) return [length]
  const bytes = []
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256)
  return [0x80 + bytes.length, ...bytes]
}
