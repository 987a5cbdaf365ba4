import type { Socket } from 'node:net'

/**
 * A server's connections, so many at most: of more, the one that has been idle for longest is ended. So whoever opens thousands and
 * says nothing keeps nobody else out.
 */
export class BoundedConnections {
  readonly #most: number
  /** In the order in which they were used last; how many requests each waits for. */
  readonly #sockets = new Map<Socket, number>()

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
    this.#sockets.set(socket, 0)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** A request has come on it. @returns to be called when it is answered */
  begin(socket: Socket): () => void {
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
