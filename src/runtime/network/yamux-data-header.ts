/** What stands before so many bytes of data on a stream: version 0, of the kind of data, no flags. */
export const dataHeader = (streamId: number, size: number): Uint8Array => {
  const header = new Uint8Array(12)
  const view = new DataView(header.buffer)
  view.setUint32(4, streamId)
  view.setUint32(8, size)
  return header
}
