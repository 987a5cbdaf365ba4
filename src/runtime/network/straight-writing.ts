import type { TLSSocket } from 'node:tls'

/** @returns resolves when the system has taken them; undefined where they have to go the library's way. @throws by its promise */
type Write = (pieces: readonly Uint8Array[], size: number) => Promise<void> | undefined

const sockets = new WeakMap<object, TLSSocket>()
const writers = new WeakMap<object, Write>()

/** What this connection sends goes to TLS over TCP, and nothing lies between. */
export const carriedBy = (connection: object, socket: TLSSocket): void => {
  sockets.set(connection, socket)
}

export const carrierOf = (connection: object): TLSSocket | undefined => sockets.get(connection)

/** What is sent on this stream may go past the library's queues: on each of its levels a write makes lists, and an event when it is done. */
export const writeStraight = (stream: object, write: Write): void => {
  writers.set(stream, write)
}

/** As `Write`. */
export const sendStraight = (stream: object, pieces: readonly Uint8Array[], size: number): Promise<void> | undefined =>
  writers.get(stream)?.(pieces, size)
