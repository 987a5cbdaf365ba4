import type { Clock } from '../../core/clock.ts'
import { type Deferred, deferred } from '../../core/deferred.ts'
import type { Seconds } from '../../core/units.ts'
import type { Reply } from '../generated/tributary/v1/wire_pb.ts'
import { NetworkError } from '../ports/network.ts'

/** Requests to one peer that are not answered yet. */
export class RequestTable {
  readonly #clock: Clock
  readonly #open = new Map<bigint, Deferred<Reply>>()
  #next = 1n

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * @param send hands the request with its id to the stream; false when it does not fit
   * @throws NetworkError when it cannot be sent, is not answered in time, or the peer is lost
   */
  async ask(peer: string, timeout: Seconds, send: (id: bigint) => boolean): Promise<Reply> {
    const id = this.#next++
    const reply = deferred<Reply>()
    const done = new AbortController()
    this.#open.set(id, reply)
    try {
      if (!send(id)) throw new NetworkError(`${peer}: too many messages wait to be sent`)
      const late = this.#clock.sleep(timeout, { signal: done.signal }).then(() => {
        throw new NetworkError(`${peer} did not answer within ${timeout} s`)
      })
      late.catch(() => {})
      return await Promise.race([reply.promise, late])
    } finally {
      done.abort()
      this.#open.delete(id)
    }
  }

  /** Whether somebody waits for the reply still. */
  awaits(id: bigint): boolean {
    return this.#open.has(id)
  }

  /** A reply that nobody waits for any more is dropped. */
  answer(id: bigint, reply: Reply): void {
    this.#open.get(id)?.resolve(reply)
  }

  fail(error: NetworkError): void {
    for (const reply of this.#open.values()) reply.reject(error)
    this.#open.clear()
  }
}
