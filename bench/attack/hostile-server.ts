import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { generate, type Packet, parser } from 'mqtt-packet'

/** What an honest device was told to read from, and reads whatever it gives. */
export interface HostileServer extends Disposable {
  readonly port: number
  /** To all that wait for it, as fast as they read it. @returns how many these are */
  send(bytes: Uint8Array | string): Promise<number>
  /** Who reads is to come again. */
  drop(): void
}

/** @param greet calls `ready` when the client waits for what it came for */
const openHostileServer = async (greet: (socket: Socket, ready: () => void) => void): Promise<HostileServer> => {
  const all = new Set<Socket>()
  const waiting = new Set<Socket>()
  const server = createServer(socket => {
    all.add(socket)
    socket
      .on('error', () => {})
      .on('close', () => {
        all.delete(socket)
        waiting.delete(socket)
      })
    greet(socket, () => waiting.add(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const drop = (): void => {
    for (const socket of all) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    drop,
    send: async bytes => {
      const sent = [...waiting].map(socket => new Promise(resolve => socket.write(bytes, resolve)))
      return (await Promise.all(sent)).length
    },
    [Symbol.dispose]: () => {
      server.close()
      drop()
    }
  }
}

/** It lets anybody in; what it sends is for the attacker to say. */
export const openHostileBroker = (): Promise<HostileServer> =>
  openHostileServer((socket, ready) => {
    const reader = parser({ protocolVersion: 5 })
    const answer = (packet: Packet): void => void socket.write(generate(packet, { protocolVersion: 5 }))
    reader.on('packet', packet => {
      if (packet.cmd === 'connect') answer({ cmd: 'connack', returnCode: 0, reasonCode: 0, sessionPresent: false })
      if (packet.cmd === 'pingreq') answer({ cmd: 'pingresp' })
      if (packet.cmd !== 'subscribe') return
      answer({ cmd: 'suback', messageId: packet.messageId!, granted: [1] })
      ready()
    })
    reader.on('error', () => socket.destroy())
    socket.on('data', chunk => reader.parse(chunk))
  })

/** It says nothing to who asks over HTTP before the attacker does. */
export const openHostileCamera = (): Promise<HostileServer> =>
  openHostileServer((socket, ready) => void socket.once('data', ready))
