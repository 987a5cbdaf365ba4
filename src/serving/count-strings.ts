/** Elements of text in what came: for each four bytes of length, then as many. @returns undefined where a length points past the end */
export const countStrings = (data: Uint8Array): number | undefined => {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  let count = 0
  for (let at = 0; at < data.byteLength; count++) {
    if (at + 4 > data.byteLength) return undefined
    at += 4 + view.getUint32(at, true)
    if (at > data.byteLength) return undefined
  }
  return count
}
