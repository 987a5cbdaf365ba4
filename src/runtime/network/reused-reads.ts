import type { Socket } from 'node:net'

/** Bytes of a record of TLS: it hands on no more at once. Each connection keeps as much. */
const SIZE = 16 * 1024

/** What Node has of a socket whose `onread` was given when it was made; all optional, for it may be named otherwise in another version. */
interface Handle {
  useUserBuffer?(buffer: Uint8Array): void
}

/**
 * From now on what comes is read into one buffer, which `take` sees a part of: it is another's when that returns. Otherwise Node makes a
 * buffer of each record of 16 KiB, and the garbage collector of both generations runs for them. It has this (`onread`) for sockets
 * that it connects itself, and not for one that TLS is put upon; so what that sets is set here.
 * @returns whether this Node knows it; where it does not, nothing has changed
 */
export const reuseReads = (socket: Socket, take: (piece: Uint8Array) => void): boolean => {
  const handle = (socket as unknown as { readonly _handle?: Handle })._handle
  const symbols = Object.getOwnPropertySymbols(socket)
  const named = (name: string): symbol | undefined => symbols.find(({ description }) => description === name)
  const [buffer, callback, generator] = ['kBuffer', 'kBufferCb', 'kBufferGen'].map(named)
  if (buffer === undefined || callback === undefined || generator === undefined) return false
  if (typeof handle?.useUserBuffer !== 'function') return false
  const memory = new Uint8Array(SIZE)
  const onRead = (size: number): boolean => {
    take(memory.subarray(0, size))
    return !socket.isPaused()
  }
  Object.assign(socket, { [buffer]: memory, [callback]: onRead, [generator]: null })
  handle.useUserBuffer(memory)
  return true
}
