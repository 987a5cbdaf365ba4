import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { generateCertificate } from '@libp2p/tls/utils'
import { expect, test } from 'vitest'
import { createIdentity } from './identity.ts'
import { reuseReads } from './reused-reads.ts'

const SIZE = 3_000_000
const numbered = Buffer.from(Uint8Array.from({ length: SIZE }, (_, i) => (i + (i >> 8)) & 0xff))

/** A socket on which these bytes come in pieces of very different sizes, and the end behind them. */
const reading = async (): Promise<{ readonly socket: TLSSocket; readonly stop: () => void }> => {
  const server = createServer(await generateCertificate(await createIdentity()), socket => {
    for (let at = 0, i = 0; at < SIZE; i++) {
      const end = at + 1 + ((i * 7919) % 60_000)
      socket.write(numbered.subarray(at, end))
      at = end
    }
    socket.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect({ port: (server.address() as AddressInfo).port, rejectUnauthorized: false })
  return { socket, stop: () => server.close() }
}

test('what comes into one buffer is what was sent, in its order, through pauses, and its end is told', async () => {
  const { socket, stop } = await reading()
  const pieces: Buffer[] = []
  const seen = new Set<ArrayBufferLike>()
  let wasPaused = 0
  const keep = (piece: Uint8Array): void => {
    pieces.push(Buffer.from(piece))
    if (pieces.length % 20 !== 0) return
    wasPaused++
    socket.pause()
    setImmediate(() => socket.resume())
  }
  const reused = (piece: Uint8Array): void => {
    seen.add(piece.buffer)
    keep(piece)
  }
  let isAsked = false
  socket.on('data', first => {
    keep(first)
    if (isAsked || socket.readableLength > 0) return
    isAsked = true
    expect(reuseReads(socket, reused)).toBe(true)
  })
  await once(socket, 'end')
  stop()
  expect(Buffer.compare(Buffer.concat(pieces), numbered)).toBe(0)
  expect(seen.size).toBe(1)
  expect(wasPaused).toBeGreaterThan(2)
})

test('a socket that is not as it is known is left as it is', () => {
  const socket = { _handle: {} } as unknown as TLSSocket
  expect(reuseReads(socket, () => {})).toBe(false)
  expect(Object.getOwnPropertySymbols(socket)).toEqual([])
})
