import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { type Deferred, deferred } from '../../core/deferred.ts'
import type { BlockHash, DeviceId } from '../../core/ids.ts'
import { type Bytes, bytes, type Seconds, seconds } from '../../core/units.ts'
import {
  type DeviceState,
  DeviceStateSchema,
  type Notice,
  NoticeSchema,
  type PolicyReport,
  PolicyReportSchema,
  type Reply,
  ReplySchema,
  type Request,
  RequestSchema,
  type Task,
  TaskSchema
} from '../../runtime/generated/tributary/v1/wire_pb.ts'
import { isNewerState } from '../../runtime/ports/is-newer-state.ts'
import {
  type LinkMeasure,
  type Network,
  type NetworkCounters,
  NetworkError,
  type NetworkHandlers,
  type Right,
  type Role,
  type Sending,
  type Sent,
  type TaskAnswer
} from '../../runtime/ports/network.ts'
import type { WireTensor } from '../../runtime/ports/wire-tensor.ts'
import type { MemoryBlockStore } from './memory-block-store.ts'
import type { Link, MemoryHub, Wire } from './memory-hub.ts'
import type { ProcessClock } from './process-clock.ts'

/** Whose network it is, and which wires it is on. */
export interface MemoryNetworkParts {
  readonly hub: MemoryHub
  readonly self: DeviceId
  /** Of this process. */
  readonly life: bigint
  readonly process: ProcessClock
  readonly blobs: MemoryBlockStore
  readonly role?: Role
  /** What it may command others. @default a device: all; others: nothing */
  readonly right?: Right
  /** Told of what passes here before the handlers are. */
  readonly watch?: NetworkWatch | undefined
  /** A handler threw: its own failure, not the peer's. */
  readonly failed: (error: unknown) => void
}

/** What passes at one device's network: for laws. */
export interface NetworkWatch {
  heard(from: DeviceId, notice: Notice): void
  peerLost(peer: DeviceId): void
  /** It tells a device that is connected. */
  told(to: DeviceId, notice: Notice): void
  /** A device has taken a task from it. */
  handed(to: DeviceId, task: Task): void
  /** It does not take a task. */
  refused(task: Task, because: string): void
  /** It says how it is. */
  published(state: DeviceState): void
}

/** As the real network has them. */
const SUSPECT_AFTER = 3
const DEAD_AFTER = 60
const REQUEST_TIMEOUT = 10
const STALL = 15
const LATEST_AGAIN = 4
/** A block goes over as fast as so many bytes of activations. */
const BLOB_TIME_BYTES = 100_000

interface Session {
  readonly peer: MemoryNetwork
  link: Link
  /** Not heard for a while: nothing is sent to it, and it counts as gone. */
  isSilent: boolean
  /** Between the silence and its being noticed; a later look makes it void. */
  watch: number
  readonly waiting: Set<(error: NetworkError) => void>
}

/**
 * A device's side of the hub: the port's promises with nothing behind them but memory. Where the hub says so messages are
 * encoded and decoded as on a wire, so that no two devices share an object; tensors are always copied.
 */
export class MemoryNetwork implements Network {
  readonly self: DeviceId
  readonly life: bigint
  readonly process: ProcessClock
  readonly role: Role
  readonly right: Right
  readonly #parts: MemoryNetworkParts
  readonly #sessions = new Map<DeviceId, Session>()
  readonly #links = new Map<DeviceId, Link>()
  readonly #seeking = new Set<MemoryNetwork>()
  readonly #known = new Set<DeviceId>()
  readonly #sent = new Map<DeviceId, number>()
  readonly #measured = new Map<DeviceId, { rate: number; latency: number }>()
  readonly #newest = new Map<DeviceId, DeviceState>()
  readonly #early = new Map<DeviceId, DeviceState>()
  readonly #counters = { refusedPeers: 0, malformedFrames: 0, oversizedFrames: 0, refusedTasks: 0 }
  readonly #fetching = new Map<
    BlockHash,
    { readonly place: Promise<string>; readonly stop: AbortController; waiting: number }
  >()
  /** Absent before the start and after the end. */
  #handlers: NetworkHandlers | undefined
  #state: 'new' | 'open' | 'stopped' = 'new'

  constructor(parts: MemoryNetworkParts) {
    this.#parts = parts
    this.self = parts.self
    this.life = parts.life
    this.process = parts.process
    this.role = parts.role ?? 'device'
    this.right = parts.right ?? (this.role === 'device' ? 'holder' : 'none')
  }

  // ---- the port ----

  addresses(): readonly string[] {
    return [`/memory/${this.self}`]
  }

  peers(): ReadonlyMap<DeviceId, Role> {
    const peers = new Map<DeviceId, Role>()
    for (const [id, { peer, isSilent }] of this.#sessions) if (!isSilent) peers.set(id, peer.role)
    return peers
  }

  rightOf(peer: DeviceId): Right {
    return this.#sessions.get(peer)?.peer.right ?? 'none'
  }

  async start(handlers: NetworkHandlers): Promise<void> {
    if (this.#state !== 'new') throw new NetworkError('the network was stopped')
    this.#state = 'open'
    this.#handlers = handlers
    this.#parts.hub.opened(this)
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopped') return
    this.#state = 'stopped'
    this.#handlers = undefined
    for (const { stop } of this.#fetching.values()) stop.abort(new NetworkError('the network was stopped'))
    this.#hangUp()
    const sessions = [...this.#sessions.values()]
    this.#sessions.clear()
    for (const session of sessions) this.#failAll(session, 'the network was stopped')
    this.#parts.hub.closed(this)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  join(): void {} // the hub knows everybody

  acquaintances(): ReadonlyMap<DeviceId, readonly string[]> {
    return new Map([...this.#known].reverse().map(id => [id, [`/memory/${id}`]]))
  }

  sendTask(to: DeviceId, task: Task, tensors: readonly WireTensor[], report?: PolicyReport): Sending {
    const written = deferred<Sent>()
    const answered = deferred<TaskAnswer>()
    const sending = { written: written.promise, answered: answered.promise }
    const session = this.#live(to)
    if (session === undefined) {
      for (const { reject } of [written, answered]) reject(absent(to))
      return sending
    }
    const { hub } = this.#parts
    const wire = hub.wire(this.self, to)
    const header = hub.encodes ? toBinary(TaskSchema, task) : task
    const remark = report === undefined || !hub.encodes ? report : toBinary(PolicyReportSchema, report)
    const size = tensors.reduce((sum, { data }) => sum + data.byteLength, hub.header)
    const fail = (error: NetworkError): void => {
      written.reject(error)
      answered.reject(error)
    }
    session.waiting.add(fail)
    const answer = (said: TaskAnswer): void => {
      if (session.waiting.delete(fail) && said.kind === 'accepted') this.#parts.watch?.handed(to, task)
      answered.resolve(said)
    }
    const starts = Math.max(this.process.now(), wire.freeAt)
    const departs = starts + size / wire.rate
    wire.freeAt = departs
    hub.trace(`${this.self}>${to} ${task.source} ${task.datum} ${task.done}`)
    this.process.at(departs, () => {
      if (!session.waiting.has(fail)) return
      this.#sent.set(to, (this.#sent.get(to) ?? 0) + size)
      written.resolve({ bytes: bytes(size), starts: seconds(starts), departs: seconds(departs) })
      const copies = tensors.map(tensor => ({ ...tensor, data: tensor.data.slice() }))
      const post = (payload: readonly WireTensor[]): void =>
        this.#post(session, 'task', peer => peer.#onTask(this, session.link, header, payload, remark, answer))
      if (wire.doubles > 0) {
        const again = copies.map(tensor => ({ ...tensor, data: tensor.data.slice() }))
        this.process.after(LATEST_AGAIN * hub.rng.next() ** 2, () => post(again))
      }
      post(copies)
    })
    return sending
  }

  async request(to: DeviceId, request: Request, options?: { readonly timeout?: Seconds }): Promise<Reply> {
    const session = this.#live(to)
    if (session === undefined) throw absent(to)
    const bytes = toBinary(RequestSchema, request)
    const reply = deferred<Reply>()
    session.waiting.add(reply.reject)
    const timeout = options?.timeout ?? REQUEST_TIMEOUT
    const late = this.process.after(timeout, () =>
      reply.reject(new NetworkError(`${to} did not answer within ${timeout} s`))
    )
    this.#post(
      session,
      'control',
      peer => void peer.#onRequest(this.self, session.link, fromBinary(RequestSchema, bytes), reply)
    )
    try {
      return await reply.promise
    } finally {
      late.isCancelled = true
      session.waiting.delete(reply.reject)
    }
  }

  notify(to: DeviceId, notice: Notice): void {
    const session = this.#live(to)
    if (session === undefined) return
    const sent = this.#asSent(notice)
    this.#parts.watch?.told(to, sent)
    this.#post(session, 'control', peer => {
      peer.#parts.watch?.heard(this.self, sent)
      peer.#tell(handlers => handlers.onNotice(this.self, sent))
    })
  }

  /** Encoded and decoded once for all to whom it goes: none of them writes to it. */
  #asSent(notice: Notice): Notice {
    if (!this.#parts.hub.encodes) return notice
    if (this.#lastNotice?.notice !== notice)
      this.#lastNotice = { notice, sent: fromBinary(NoticeSchema, toBinary(NoticeSchema, notice)) }
    return this.#lastNotice.sent
  }
  #lastNotice: { readonly notice: Notice; readonly sent: Notice } | undefined

  publishState(state: DeviceState): void {
    if (this.#state !== 'open') return
    const { hub, watch } = this.#parts
    watch?.published(state)
    const sent = hub.encodes ? fromBinary(DeviceStateSchema, toBinary(DeviceStateSchema, state)) : state
    hub.gossip(this, to => to.#onState(this.self, sent))
  }

  async fetchBlob(hash: BlockHash, _size: Bytes, holders: readonly DeviceId[], signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted()
    const underway = this.#fetching.get(hash) ?? this.#beginFetch(hash, holders)
    underway.waiting++
    const aborted = deferred<never>()
    const onAbort = (): void => aborted.reject(signal?.reason as Error)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([underway.place, aborted.promise])
    } finally {
      signal?.removeEventListener('abort', onAbort)
      if (--underway.waiting === 0) underway.stop.abort(new NetworkError('nobody waits for the block any more'))
    }
  }

  link(to: DeviceId): LinkMeasure | undefined {
    const known = this.#measured.get(to)
    if (known === undefined) return undefined
    const wire = this.#parts.hub.wire(this.self, to)
    // What frames show follows what is with a delay; here as of when it was last looked at.
    if (this.#sessions.has(to)) {
      known.rate = wire.rate
      known.latency = wire.latency
    }
    return {
      rate: known.rate as LinkMeasure['rate'],
      latency: seconds(known.latency),
      bytesSent: bytes(this.#sent.get(to) ?? 0),
      busySeconds: seconds(0),
      shaped: false
    }
  }

  counters(): NetworkCounters {
    return { ...this.#counters }
  }

  // ---- what the hub asks and says ----

  get isReachable(): boolean {
    return this.#state === 'open' && this.process.isRunning
  }

  isSeeking(other: MemoryNetwork): boolean {
    return this.#seeking.has(other)
  }

  setSeeking(other: MemoryNetwork, seeks: boolean): void {
    if (seeks) this.#seeking.add(other)
    else this.#seeking.delete(other)
  }

  isConnectedTo(other: MemoryNetwork): boolean {
    return this.#links.get(other.self)?.isOpen === true && other.#links.get(this.self) === this.#links.get(other.self)
  }

  linkTo(peer: DeviceId): Link | undefined {
    return this.#links.get(peer)
  }

  connects(other: MemoryNetwork, link: Link): void {
    this.#links.set(other.self, link)
  }

  /** The peer has proved the key. */
  begin(peer: MemoryNetwork, link: Link): void {
    const { hub } = this.#parts
    if (this.#state !== 'open') return
    if (!link.isOpen || hub.network(peer.self) !== peer) {
      hub.seek(this, peer, 0.25)
      return
    }
    const former = this.#sessions.get(peer.self)
    if (former !== undefined)
      this.#end(peer.self, former, former.peer.life === peer.life ? 'its connection closed' : 'it restarted')
    const session: Session = { peer, link, isSilent: false, watch: 0, waiting: new Set() }
    this.#sessions.set(peer.self, session)
    this.#known.delete(peer.self)
    this.#known.add(peer.self)
    hub.trace(`${this.self} joined ${peer.self}`)
    const wire = hub.wire(this.self, peer.self)
    this.process.after(4 * wire.latency + 0.01, () => {
      if (!this.#measured.has(peer.self)) this.#measured.set(peer.self, { rate: wire.rate, latency: wire.latency })
    })
    this.#tell(handlers => handlers.onPeer({ kind: 'joined', peer: peer.self, role: peer.role, life: peer.life }))
    const early = this.#early.get(peer.self)
    this.#early.delete(peer.self)
    if (early !== undefined) this.#onState(peer.self, early)
    this.lookAt(peer.self)
  }

  /** What was sent on the old streams has not arrived, as far as this side knows. */
  resets(peer: DeviceId, link: Link): void {
    const session = this.#sessions.get(peer)
    if (session === undefined || !session.link.isOpen) return
    this.#links.set(peer, link)
    session.link = link
    this.#failAll(session, 'it reset the control stream')
  }

  /** This side hears that a connection is closed. */
  lose(peer: DeviceId, link: Link, because: string): void {
    const session = this.#sessions.get(peer)
    if (session === undefined || session.link !== link) return
    this.#end(peer, session, because)
    this.#parts.hub.seek(this, session.peer, 0.25)
  }

  /** The process was killed. @param isTold its operating system still closes what it had open, and the peers hear of that */
  die(isTold: boolean): void {
    if (isTold) this.#hangUp()
    this.#sessions.clear()
    this.#parts.hub.closed(this)
  }

  #hangUp(): void {
    const { hub } = this.#parts
    for (const [peer, session] of this.#sessions) {
      const deliver = (): void => {
        session.link.isOpen = false
        session.peer.lose(this.self, session.link, 'its connection closed')
      }
      hub.post(hub.wire(this.self, peer), { link: session.link, channel: 'control', deliver })
    }
  }

  /** Whether a peer can be heard has changed: silence is noticed after a while, and its end at once. */
  lookAt(peer: DeviceId): void {
    const session = this.#sessions.get(peer)
    if (session === undefined) return
    const watch = ++session.watch
    if (this.#isHeard(session)) {
      if (session.isSilent)
        this.process.after(this.#parts.hub.wire(peer, this.self).latency + 0.5 * this.#parts.hub.rng.next(), () =>
          this.#heard(session)
        )
      return
    }
    const isStill = (): boolean =>
      session.watch === watch && this.#sessions.get(peer) === session && !this.#isHeard(session)
    this.process.after(SUSPECT_AFTER * (1 + 0.2 * this.#parts.hub.rng.next()), () => {
      if (isStill() && !session.isSilent) this.#onSilent(session)
    })
    this.process.after(DEAD_AFTER, () => {
      if (!isStill()) return
      session.link.isOpen = false
      this.#end(peer, session, 'it was silent for too long')
      session.peer.process.after(0.05, () => session.peer.lose(this.self, session.link, 'its connection closed'))
      this.#parts.hub.seek(this, session.peer, 0.25)
    })
  }

  lookAtAll(): void {
    for (const peer of this.#sessions.keys()) this.lookAt(peer)
  }

  #isHeard({ peer, link }: Session): boolean {
    const { hub } = this.#parts
    const isThere = hub.network(peer.self) === peer && peer.process.isRunning
    return link.isOpen && isThere && !hub.wire(peer.self, this.self).isCut
  }

  #onSilent(session: Session): void {
    session.isSilent = true
    const { self: peer, role } = session.peer
    this.#failAll(session, `${peer} has left: silent`)
    this.#parts.hub.trace(`${this.self} lost ${peer}: silent`)
    this.#parts.watch?.peerLost(peer)
    this.#tell(handlers => handlers.onPeer({ kind: 'left', peer, role, because: `silent for ${SUSPECT_AFTER} s` }))
  }

  #heard(session: Session): void {
    if (!session.isSilent || this.#sessions.get(session.peer.self) !== session) return
    session.isSilent = false
    const { self: peer, role, life } = session.peer
    this.#parts.hub.trace(`${this.self} hears ${peer} again`)
    this.#tell(handlers => handlers.onPeer({ kind: 'joined', peer, role, life }))
    this.lookAt(peer)
  }

  #end(peer: DeviceId, session: Session, because: string): void {
    this.#sessions.delete(peer)
    this.#failAll(session, `${peer} has left: ${because}`)
    this.#parts.hub.trace(`${this.self} lost ${peer}: ${because}`)
    if (session.isSilent) return
    this.#parts.watch?.peerLost(peer)
    this.#tell(handlers => handlers.onPeer({ kind: 'left', peer, role: session.peer.role, because }))
  }

  #failAll({ waiting }: Session, because: string): void {
    const error = new NetworkError(because)
    const all = [...waiting]
    waiting.clear()
    for (const fail of all) fail(error)
  }

  #live(to: DeviceId): Session | undefined {
    const session = this.#sessions.get(to)
    return session?.isSilent === true ? undefined : session
  }

  #post(session: Session, channel: 'task' | 'control', deliver: (peer: MemoryNetwork) => void): void {
    const { hub } = this.#parts
    const { peer, link } = session
    const wire: Wire = hub.wire(this.self, peer.self)
    hub.post(wire, {
      link,
      channel,
      deliver: () => {
        const back = peer.#sessions.get(this.self)
        if (back === undefined || back.link !== link) return
        peer.#heard(back)
        deliver(peer)
      }
    })
  }

  // ---- what comes in ----

  #onTask(
    from: MemoryNetwork,
    link: Link,
    header: Uint8Array | Task,
    tensors: readonly WireTensor[],
    remark: Uint8Array | PolicyReport | undefined,
    answered: (answer: TaskAnswer) => void
  ): void {
    const task = header instanceof Uint8Array ? fromBinary(TaskSchema, header) : header
    const report = remark instanceof Uint8Array ? fromBinary(PolicyReportSchema, remark) : remark
    let answer: TaskAnswer
    try {
      answer = this.#hearing.onTask({ from: from.self, task, tensors, report })
    } catch (error) {
      answer = { kind: 'refused', because: error instanceof Error ? error.message : String(error) }
    }
    if (answer.kind === 'refused') {
      this.#counters.refusedTasks++
      this.#parts.watch?.refused(task, answer.because)
    }
    this.#parts.hub.trace(`${this.self}<${from.self} ${task.source} ${task.datum} ${task.done} ${answer.kind}`)
    this.#answer(from.self, link, () => answered(answer))
  }

  async #onRequest(from: DeviceId, link: Link, request: Request, reply: Deferred<Reply>): Promise<void> {
    let value: Reply
    try {
      value = await this.#hearing.onRequest(from, request)
    } catch (error) {
      value = create(ReplySchema, { error: error instanceof Error ? error.message : String(error) })
    }
    const bytes = toBinary(ReplySchema, value)
    this.#answer(from, link, () => reply.resolve(fromBinary(ReplySchema, bytes)))
  }

  /** Where the connection is still the one that asked. */
  #answer(to: DeviceId, link: Link, deliver: () => void): void {
    const session = this.#sessions.get(to)
    if (session?.link === link) this.#post(session, 'control', deliver)
  }

  #onState(from: DeviceId, state: DeviceState): void {
    if (this.#state !== 'open') return
    const session = this.#sessions.get(from)
    if (session === undefined) {
      this.#early.set(from, state)
      return
    }
    const known = this.#newest.get(from)
    if (known !== undefined && !isNewerState(state, known, session.peer.life)) return
    this.#newest.set(from, state)
    this.#tell(handlers => handlers.onState(from, state))
  }

  /** @throws NetworkError where nobody does */
  get #hearing(): NetworkHandlers {
    if (this.#handlers === undefined) throw new NetworkError('the network is not running')
    return this.#handlers
  }

  #tell(work: (handlers: NetworkHandlers) => void): void {
    if (this.#handlers === undefined) return
    try {
      work(this.#handlers)
    } catch (error) {
      this.#parts.failed(error)
    }
  }

  // ---- blocks ----

  #beginFetch(hash: BlockHash, holders: readonly DeviceId[]) {
    const stop = new AbortController()
    const place = this.#fetch(hash, holders, stop.signal).finally(() => this.#fetching.delete(hash))
    place.catch(() => {})
    const underway = { place, stop, waiting: 0 }
    this.#fetching.set(hash, underway)
    return underway
  }

  async #fetch(hash: BlockHash, holders: readonly DeviceId[], signal: AbortSignal): Promise<string> {
    const { blobs } = this.#parts
    const known = await blobs.find(hash)
    if (known !== undefined) return known
    const failures: string[] = []
    for (const holder of holders) {
      let bytes: Uint8Array
      try {
        bytes = await this.#fetchFrom(holder, hash, signal)
      } catch (error) {
        signal.throwIfAborted()
        failures.push(`${holder}: ${(error as Error).message}`)
        continue
      }
      return blobs.put(hash, [bytes])
    }
    throw new NetworkError(`no holder gave block ${hash}: ${failures.join('; ') || 'nobody is known to have it'}`)
  }

  async #fetchFrom(holder: DeviceId, hash: BlockHash, signal: AbortSignal): Promise<Uint8Array> {
    const session = this.#live(holder)
    if (session === undefined) throw new NetworkError('it is not connected')
    const { hub } = this.#parts
    const answer = deferred<Uint8Array>()
    const abort = (): void => answer.reject(signal.reason as Error)
    session.waiting.add(answer.reject)
    signal.addEventListener('abort', abort, { once: true })
    const stalled = this.process.after(STALL, () => answer.reject(new NetworkError(`it gave nothing for ${STALL} s`)))
    this.#post(session, 'control', async peer => {
      const place = await peer.#parts.blobs.find(hash)
      const takes = BLOB_TIME_BYTES / hub.wire(peer.self, this.self).rate
      peer.process.after(takes, () =>
        peer.#answer(this.self, session.link, () => {
          try {
            if (place === undefined) throw new NetworkError('this device does not hold it')
            answer.resolve(peer.#parts.blobs.bytesAt(place).slice())
          } catch (error) {
            answer.reject(error as Error)
          }
        })
      )
    })
    try {
      return await answer.promise
    } finally {
      stalled.isCancelled = true
      session.waiting.delete(answer.reject)
      signal.removeEventListener('abort', abort)
    }
  }
}

const absent = (peer: DeviceId): NetworkError => new NetworkError(`${peer} is not connected`)
