/** Elements of a string tensor as they travel: for each a uint32 byte length (little endian), then its UTF-8 bytes. */
export const encodeStrings = (elements: readonly string[]): Uint8Array<ArrayBuffer> => {
  const encoder = new TextEncoder()
  return withLengths(elements.map(text => encoder.encode(text)))
}

/** The same of elements that are bytes already. */
export const withLengths = (encoded: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const out = new Uint8Array(encoded.reduce((sum, bytes) => sum + 4 + bytes.byteLength, 0))
  const view = new DataView(out.buffer)
  let at = 0
  for (const bytes of encoded) {
    view.setUint32(at, bytes.byteLength, true)
    out.set(bytes, at + 4)
    at += 4 + bytes.byteLength
  }
  return out
}

/** @throws RangeError when a length points past the end */
export const decodeStrings = (data: Uint8Array): string[] => {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true }) // which keeps one
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const elements: string[] = []
  for (let at = 0; at < data.byteLength; ) {
    const length = at + 4 <= data.byteLength ? view.getUint32(at, true) : Number.POSITIVE_INFINITY
    if (at + 4 + length > data.byteLength) throw new RangeError(`string ${elements.length} reaches past the data`)
    elements.push(decoder.decode(data.subarray(at + 4, at + 4 + length)))
    at += 4 + length
  }
  return elements
}
