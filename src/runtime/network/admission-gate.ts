import type { Connection, Stream, Topology } from '@libp2p/interface'
import type { Clock } from '../../core/clock.ts'
import { type Deferred, deferred } from '../../core/deferred.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { NetworkError } from '../ports/network.ts'
import type { Member } from './admission.ts'
import { liftLimit } from './bounded-yamux.ts'

type Passage =
  | { kind: 'pending'; readonly verdict: Deferred<Member>; waiting: number }
  | { readonly kind: 'admitted'; readonly member: Member }
  | { readonly kind: 'refused'; readonly because: Error }

/** How long a connection may take to prove the key, where processors are not short. */
export const ADMISSION_TIMEOUT: Seconds = seconds(5)
/** And how long a stream may wait for that: longer than the most patient desk. */
const HELD_AT_MOST: Seconds = seconds(30)

/** After one of several connections to a peer closed, both sides have seen it. */
const SETTLING: Seconds = seconds(0.5)

/** Streams of one connection that may wait for its admission. */
const WAITING_STREAMS = 8

/**
 * Who is in, by connection. A connection begins outside; streams of any protocol but admission wait at the gate,
 * paused, until it is admitted, and are reset when it is refused or too many wait.
 */
export class AdmissionGate {
  /** Of services behind the gate, that want to hear of peers. */
  readonly topologies = new Set<Topology>()
  readonly #connections = new WeakMap<Connection, Passage>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  #passage(connection: Connection): Passage {
    const known = this.#connections.get(connection)
    if (known !== undefined) return known
    const verdict = deferred<Member>()
    const passage: Passage = { kind: 'pending', verdict, waiting: 0 }
    this.#connections.set(connection, passage)
    return passage
  }

  admit(connection: Connection, member: Member): void {
    const passage = this.#passage(connection)
    if (passage.kind !== 'pending') return
    liftLimit(connection)
    this.#connections.set(connection, { kind: 'admitted', member })
    passage.verdict.resolve(member)
  }

  refuse(connection: Connection, because: Error): void {
    const passage = this.#passage(connection)
    if (passage.kind !== 'pending') return
    this.#connections.set(connection, { kind: 'refused', because })
    passage.verdict.reject(because)
  }

  /** The member at the other end, once it is one. */
  member(connection: Connection): Member | undefined {
    const passage = this.#connections.get(connection)
    return passage?.kind === 'admitted' ? passage.member : undefined
  }

  /** @throws the reason for which the connection is refused, or NetworkError when that takes too long */
  async verdict(connection: Connection): Promise<Member> {
    const passage = this.#passage(connection)
    if (passage.kind === 'admitted') return passage.member
    if (passage.kind === 'refused') throw passage.because
    const done = new AbortController()
    const late = this.#clock.sleep(HELD_AT_MOST, { signal: done.signal }).then(() => {
      throw new NetworkError('the connection was not admitted in time')
    })
    try {
      return await Promise.race([passage.verdict.promise, late])
    } finally {
      late.catch(() => {})
      done.abort()
    }
  }

  /** Hold a stream until its connection is admitted. @throws when it is not; the stream is reset then */
  async hold(stream: Stream, connection: Connection): Promise<Member> {
    const passage = this.#passage(connection)
    if (passage.kind === 'admitted') return passage.member
    try {
      if (passage.kind === 'refused') throw passage.because
      if (passage.waiting >= WAITING_STREAMS) throw new NetworkError('too many streams wait for admission')
      passage.waiting++
      stream.pause()
      const member = await this.verdict(connection)
      stream.resume()
      return member
    } catch (error) {
      const reason = error instanceof Error ? error : new NetworkError(String(error))
      stream.abort(reason)
      throw reason
    } finally {
      if (passage.kind === 'pending') passage.waiting--
    }
  }

  /**
   * A peer lost a connection and has another. Services speak to a peer over the first connection they hear of, and
   * libp2p does not tell them when only that one is lost: so for them the peer leaves and comes again.
   */
  async moveOver(to: Connection, signal: AbortSignal): Promise<void> {
    for (const topology of this.topologies) topology.onDisconnect?.(to.remotePeer)
    await this.#clock.sleep(SETTLING, { signal })
    if (to.status !== 'open') return
    for (const topology of this.topologies) topology.onConnect?.(to.remotePeer, to)
  }
}
