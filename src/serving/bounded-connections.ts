import type { Socket } from 'node:net'

/**
 * A server's connections, so many at most: of more, the one that has been idle for longest is ended. So whoever opens thousands and
 * says nothing keeps nobody else out.
 */
export class BoundedConnections {
  readonly #most: number
  /** In the order in which they were used last; how many requests each waits for. */
  readonly #sockets = new Map<Socket, number>()
  /** Those sockets by their other end's address and port. */
  readonly #byPeer = new Map<string, Socket>()

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#sockets.size
  }

  add(socket: Socket): void {
    if (this.#sockets.size >= this.#most && !this.#makeRoom()) {
      socket.destroy()
      return
    }
    const peer = peerOf(socket)
    this.#sockets.set(socket, 0)
    this.#byPeer.set(peer, socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      if (this.#byPeer.get(peer) === socket) this.#byPeer.delete(peer)
    })
  }

  /** A request has come. @param over what was added, or TLS over it @returns to be called when it is answered */
  begin(over: Socket): () => void {
    const socket = this.#sockets.has(over) ? over : this.#byPeer.get(peerOf(over))
    if (socket === undefined) return () => {}
    this.#change(socket, 1)
    return () => this.#change(socket, -1)
  }

  destroyAll(): void {
    for (const socket of this.#sockets.keys()) socket.destroy()
  }

  #change(socket: Socket, by: number): void {
    const requests = this.#sockets.get(socket)
    if (requests === undefined) return
    this.#sockets.delete(socket)
    this.#sockets.set(socket, requests + by)
  }

  #makeRoom(): boolean {
    for (const [socket, requests] of this.#sockets) {
      if (requests > 0) continue
      this.#sockets.delete(socket)
      socket.destroy()
      return true
    }
    return false
  }
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`
