import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { connect as connectSecurely, createServer as createSecureServer } from 'node:tls'
import type { Certificate } from './peers/relay.ts'

/** Sends so many bytes to the other process, and resolves when that has answered with one. */
export type BareHop = () => Promise<void>

/**
 * The other end of a hop that is nothing but a socket: no frames, no names, no checks.
 * @param certificate undefined: it is not encrypted @returns its port
 */
export const listenBare = async (bytes: number, certificate: Certificate | undefined): Promise<number> => {
  const onSocket = (socket: Socket): void => {
    let received = 0
    socket.setNoDelay(true)
    socket.on('error', () => {}) // the other end goes without a goodbye
    socket.on('data', piece => {
      received += piece.byteLength
      if (received < bytes) return
      received -= bytes
      socket.write('!')
    })
  }
  const secure = { ...certificate, minVersion: 'TLSv1.3' } as const
  const server = certificate === undefined ? createServer(onSocket) : createSecureServer(secure, onSocket)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

export const bareHop = async (port: number, bytes: number, isSecret: boolean): Promise<BareHop> => {
  const at = { port, host: '127.0.0.1' }
  const socket = isSecret ? connectSecurely({ ...at, rejectUnauthorized: false }) : connect(at)
  await once(socket, isSecret ? 'secureConnect' : 'connect')
  socket.setNoDelay(true)
  const data = new Uint8Array(bytes)
  return async () => {
    socket.write(data)
    await once(socket, 'data')
  }
}
