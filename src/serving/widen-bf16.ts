/** Each element is the upper half of a float32: nothing is lost. */
export const widenBf16 = (data: Uint8Array): Uint8Array<ArrayBuffer> => {
  const count = data.byteLength >> 1
  const out = new Uint8Array(4 * count)
  for (let i = 0; i < count; i++) {
    out[4 * i + 2] = data[2 * i]!
    out[4 * i + 3] = data[2 * i + 1]!
  }
  return out
}
