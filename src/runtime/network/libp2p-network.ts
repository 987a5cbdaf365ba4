import { randomBytes } from 'node:crypto'
import type { Connection, PeerInfo, Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { Clock } from '../../core/clock.ts'
import { every } from '../../core/every.ts'
import { type BlockHash, type DeviceId, deviceId } from '../../core/ids.ts'
import { stopOnce } from '../../core/stop-once.ts'
import type { Tensor } from '../../core/tensor.ts'
import { type Bytes, type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import type {
  Acquaintance,
  DeviceState,
  Notice,
  PolicyReport,
  Reply,
  Request,
  Task
} from '../generated/tributary/v1/wire_pb.ts'
import { ADMISSION_PROTOCOL, type Member } from './admission.ts'
import { AdmissionGate } from './admission-gate.ts'
import { BlobFetcher } from './blob-fetcher.ts'
import { BLOB_PROTOCOL } from './blob-protocol.ts'
import { serveBlobs } from './blob-server.ts'
import type { BlobStore } from './blob-store.ts'
import { BoundedMap } from './bounded-map.ts'
import type { ClusterKey } from './cluster-key.ts'
import { ConnectionDesk } from './connection-desk.ts'
import { createHost, type Host } from './create-host.ts'
import { deferred } from './deferred.ts'
import { Dialler } from './dialler.ts'
import { FRAME_LIMITS, type FrameLimits } from './frame-limits.ts'
import { Gossip } from './gossip.ts'
import type { Identity } from './identity.ts'
import { LinkMeter } from './link-meter.ts'
import { Liveness } from './liveness.ts'
import {
  type ArrivedTask,
  type LinkMeasure,
  type Network,
  type NetworkCounters,
  NetworkError,
  type NetworkHandlers,
  type PeerEvent,
  type Role,
  type Sending,
  type TaskAnswer
} from './network.ts'
import { type LinkShape, Pacer } from './pacer.ts'
import { parseAddress } from './parse-address.ts'
import { CONTROL_PROTOCOL, type PeerLink, PeerSession, type SessionEvents, TASK_PROTOCOL } from './peer-session.ts'

export interface Libp2pNetworkOptions {
  readonly privateKey: Identity
  readonly clusterKey: ClusterKey
  /** "host:port", "[ip6]:port" or multiaddrs; none: this process dials only. */
  readonly listen: readonly string[]
  readonly clock: Clock
  readonly blobStore: BlobStore
  /** @default 'device' */
  readonly role?: Role
  /** Find devices of the local network by multicast DNS. @default true */
  readonly mdns?: boolean
  /** @default 1 MiB of header, 1 GiB of payload */
  readonly limits?: Partial<FrameLimits>
  /** A peer that is not heard for so long has left. @default 3 s */
  readonly suspectAfter?: Seconds
  /** The emulated link from here to that peer; undefined where the real one counts. Asked for every frame. */
  readonly emulatedLink?: (peer: DeviceId) => LinkShape | undefined
  /** Takes one line of talk. */
  readonly say?: (text: string) => void
}

/** When we have sent nothing else for so long, a ping says that we are alive. */
const QUIET: Seconds = seconds(0.5)
/** Devices in one message of acquaintances. */
const MAX_ACQUAINTANCES = 256

const NOBODY: NetworkHandlers = {
  onTask: () => ({ kind: 'refused', because: 'this device is not ready' }),
  onRequest: () => Promise.reject(new Error('this device is not ready')),
  onNotice: () => {},
  onState: () => {},
  onPeer: () => {}
}

/**
 * The port Network on js-libp2p: TCP, TLS (Noise as second choice), yamux; GossipSub for slow state.
 *
 *   connection ──▶ ConnectionDesk (admission) ──▶ PeerSession: tasks, control
 *   streams    ──▶ AdmissionGate (wait)       ──▶       "     , blobs, identify, ping, gossip
 *   Dialler: addresses, mDNS, acquaintances of peers, lost peers ──▶ connection
 *
 * @throws UserError when an address to listen on is not one
 */
export const createLibp2pNetwork = (options: Libp2pNetworkOptions): Network => new Libp2pNetwork(options)

class Libp2pNetwork implements Network {
  readonly self: DeviceId
  readonly stop: () => Promise<void>
  readonly #options: Libp2pNetworkOptions
  readonly #clock: Clock
  readonly #limits: FrameLimits
  readonly #listen: ReturnType<typeof parseAddress>[]
  readonly #gate: AdmissionGate
  readonly #desk: ConnectionDesk
  readonly #dialler: Dialler
  readonly #liveness: Liveness
  readonly #fetcher: BlobFetcher
  readonly #sessions = new Map<DeviceId, PeerSession>()
  readonly #links = new BoundedMap<DeviceId, PeerLink>(1024)
  readonly #counters = { refusedPeers: 0, malformedFrames: 0, oversizedFrames: 0, refusedTasks: 0 }
  readonly #ready = deferred<Host>()
  readonly #over = new AbortController()
  #started: Promise<void> | undefined
  #host: Host | undefined
  #gossip: Gossip | undefined
  #handlers = NOBODY

  constructor(options: Libp2pNetworkOptions) {
    const { privateKey, clusterKey, listen, clock, blobStore, role = 'device', limits, suspectAfter } = options
    this.#options = options
    this.#clock = clock
    this.#limits = { ...FRAME_LIMITS, ...limits }
    this.#listen = listen.map(text => parseAddress(text, 'listen'))
    this.self = deviceId(peerIdFromPrivateKey(privateKey).toString())
    this.#gate = new AdmissionGate(clock)
    const incarnation = randomBytes(8).readBigUInt64BE()
    this.#desk = new ConnectionDesk({
      gate: this.#gate,
      clock,
      credentials: { self: this.self, role, incarnation, key: clusterKey },
      onMember: (connection, member) => this.#onMember(connection, member),
      onRefused: (peer, because) => this.#onRefused(peer, because)
    })
    this.#dialler = new Dialler({
      self: this.self,
      clock,
      dial: async (address, signal) => (await this.#ready.promise).dial(address, { signal }),
      admitted: connection => this.#gate.verdict(connection),
      connected: peer => this.#sessions.has(peer),
      say: text => this.#say(text)
    })
    this.#liveness = new Liveness({
      clock,
      suspectAfter: suspectAfter ?? seconds(3),
      onSilent: (peer, silence) => this.#onSilent(peer, silence),
      onBack: peer => this.#onBack(peer),
      onDead: peer => this.#close(peer, 'it was silent for too long')
    })
    this.#fetcher = new BlobFetcher({
      store: blobStore,
      clock,
      session: peer => this.#live(peer),
      heard: peer => this.#liveness.heard(peer),
      say: text => this.#say(text)
    })
    this.stop = stopOnce(() => this.#shutDown()).stop
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  // ---- the port ----

  addresses(): readonly string[] {
    return this.#host?.getMultiaddrs().map(String) ?? []
  }

  peers(): ReadonlyMap<DeviceId, Role> {
    const live = [...this.#sessions].filter(([peer]) => !this.#liveness.isSilent(peer))
    return new Map(live.map(([peer, { member }]) => [peer, member.role]))
  }

  start(handlers: NetworkHandlers): Promise<void> {
    this.#started ??= this.#start(handlers)
    return this.#started
  }

  join(address: string): void {
    this.#dialler.join(address)
  }

  sendTask(to: DeviceId, task: Task, tensors: readonly Tensor[], report?: PolicyReport): Sending {
    const session = this.#live(to)
    if (session !== undefined) return session.tasks.send({ case: 'task', value: task }, tensors, report)
    const written = Promise.reject(this.#absent(to))
    const answered = Promise.reject(this.#absent(to))
    for (const promise of [written, answered]) promise.catch(() => {})
    return { written, answered }
  }

  async request(to: DeviceId, request: Request, options?: { readonly timeout?: Seconds }): Promise<Reply> {
    const session = this.#live(to)
    if (session === undefined) throw this.#absent(to)
    return session.request(request, options?.timeout)
  }

  notify(to: DeviceId, notice: Notice): void {
    this.#live(to)?.control.send(0n, { case: 'notice', value: notice })
  }

  publishState(state: DeviceState): void {
    this.#gossip?.publish(state)
  }

  fetchBlob(hash: BlockHash, size: Bytes, holders: readonly DeviceId[], signal?: AbortSignal): Promise<string> {
    return this.#fetcher.fetch(hash, size, holders, signal)
  }

  link(to: DeviceId): LinkMeasure | undefined {
    return this.#links.get(to)?.meter.measure(this.#options.emulatedLink?.(to) !== undefined)
  }

  counters(): NetworkCounters {
    return { ...this.#counters }
  }

  // ---- life ----

  async #start(handlers: NetworkHandlers): Promise<void> {
    this.#over.signal.throwIfAborted()
    this.#handlers = handlers
    const { privateKey, mdns = true } = this.#options
    const host = await createHost({ privateKey, listen: this.#listen, mdns, gate: this.#gate })
    this.#host = host
    await this.#handleProtocols(host)
    host.addEventListener('connection:open', ({ detail }) => this.#desk.onOpen(detail))
    host.addEventListener('peer:discovery', ({ detail }) => this.#onDiscovery(detail))
    const gossip = new Gossip({
      gossip: host.services.gossip,
      admitted: peer => this.#sessions.has(peer),
      deliver: (from, state) => this.#tell(() => this.#handlers.onState(from, state)),
      onMalformed: (from, because) => this.#onBroken(from, 'malformed', because)
    })
    this.#gossip = gossip
    try {
      await host.start()
    } catch (error) {
      await host.stop()
      throw listenError(error, this.#options.listen)
    }
    gossip.subscribe()
    this.#ready.resolve(host)
    const { signal } = this.#over
    every(
      () => this.#liveness.interval,
      () => this.#look(),
      { clock: this.#clock, signal }
    ).catch((error: unknown) => {
      if (!signal.aborted) this.#say(`the watch over peers ended: ${error}`)
    })
  }

  async #handleProtocols(host: Host): Promise<void> {
    const guarded =
      (accept: (stream: Stream, session: PeerSession) => void) =>
      async (stream: Stream, connection: Connection): Promise<void> => {
        const { peer } = await this.#gate.hold(stream, connection)
        const session = this.#sessions.get(peer)
        if (session === undefined) stream.abort(new NetworkError('the peer has left'))
        else accept(stream, session)
      }
    const admission = (stream: Stream, connection: Connection): Promise<void> => this.#desk.onStream(stream, connection)
    await host.handle(ADMISSION_PROTOCOL, admission, { maxInboundStreams: 1 })
    await host.handle(
      TASK_PROTOCOL,
      guarded((stream, session) => session.acceptTasks(stream)),
      { maxInboundStreams: 4 }
    )
    await host.handle(
      CONTROL_PROTOCOL,
      guarded((stream, session) => session.acceptControl(stream)),
      { maxInboundStreams: 4 }
    )
    await host.handle(
      BLOB_PROTOCOL,
      guarded((stream, session) => this.#serveBlobs(stream, session)),
      { maxInboundStreams: 16 }
    )
  }

  async #shutDown(): Promise<void> {
    const stopped = new NetworkError('the network was stopped')
    this.#over.abort(stopped)
    this.#ready.reject(stopped)
    this.#dialler.stop()
    this.#fetcher.stop()
    await this.#started?.catch(() => {})
    const host = this.#host
    if (host === undefined) return
    const sessions = [...this.#sessions.values()]
    this.#sessions.clear()
    for (const session of sessions) session.lose(stopped)
    const done = new AbortController()
    const late = this.#clock.sleep(seconds(0.4), { signal: done.signal }).then(
      () => {
        for (const connection of host.getConnections()) connection.abort(stopped)
      },
      () => {}
    )
    await host.stop()
    done.abort()
    await late
  }

  // ---- peers ----

  #live(peer: DeviceId): PeerSession | undefined {
    return this.#liveness.isSilent(peer) ? undefined : this.#sessions.get(peer)
  }

  #absent(peer: DeviceId): NetworkError {
    return new NetworkError(`${peer} is not connected`)
  }

  #onMember(connection: Connection, member: Member): void {
    if (connection.status !== 'open' || this.#over.signal.aborted) return
    const { peer } = member
    const known = this.#sessions.get(peer)
    if (known !== undefined && known.member.incarnation !== member.incarnation) this.#end(known, 'it restarted')
    const session = this.#sessions.get(peer) ?? this.#begin(member)
    // A peer that was silent and comes on a new connection has lost the old ones.
    const stale = this.#liveness.isSilent(peer) ? session.connections() : []
    session.addConnection(connection)
    connection.addEventListener('close', () => this.#onClosed(session, connection))
    for (const old of stale) old.abort(new NetworkError('replaced by a newer connection'))
    this.#liveness.heard(peer)
    if (connection.direction === 'outbound') this.#dialler.learn(peer, [`${connection.remoteAddr}`])
    // GossipSub hears from identify who speaks it.
    this.#host?.services.identify.identify(connection).catch(() => {})
  }

  #begin(member: Member): PeerSession {
    const { peer, role } = member
    const link = this.#links.get(peer) ?? { meter: new LinkMeter(), pacer: new Pacer(this.#clock) }
    this.#links.set(peer, link)
    const session = new PeerSession({
      member,
      link,
      clock: this.#clock,
      limits: this.#limits,
      shape: () => this.#options.emulatedLink?.(peer),
      events: this.#sessionEvents(peer),
      say: text => this.#say(text)
    })
    this.#sessions.set(peer, session)
    this.#liveness.add(peer)
    this.#dialler.forgive(peer)
    // After the handshake has come to its end on this side too.
    queueMicrotask(() => {
      this.#introduce(session, [this.self, ...this.#sessions.keys()])
      session.ping()
    })
    this.#event({ kind: 'joined', peer, role })
    this.#gossip?.admit(peer)
    return session
  }

  #sessionEvents(peer: DeviceId): SessionEvents {
    return {
      onTask: arrived => this.#onTask(arrived),
      onRequest: request => this.#handlers.onRequest(peer, request),
      onNotice: notice => this.#tell(() => this.#handlers.onNotice(peer, notice)),
      onAcquaintances: devices => this.#onAcquaintances(peer, devices),
      onHeard: () => this.#liveness.heard(peer),
      onBroken: kind => this.#onBroken(peer, kind)
    }
  }

  #onClosed(session: PeerSession, connection: Connection): void {
    session.removeConnection(connection)
    if (!session.connected) this.#end(session, 'its connection closed')
  }

  #end(session: PeerSession, because: string): void {
    const { peer, role } = session.member
    if (this.#sessions.get(peer) !== session) return
    this.#sessions.delete(peer)
    const silent = this.#liveness.remove(peer)
    session.lose(new NetworkError(`${peer} has left: ${because}`))
    for (const connection of session.connections()) connection.abort(new NetworkError(because))
    if (!silent) this.#event({ kind: 'left', peer, role, because })
    if (role === 'device') this.#dialler.miss(peer)
  }

  #close(peer: DeviceId, because: string): void {
    const session = this.#sessions.get(peer)
    if (session !== undefined) this.#end(session, because)
  }

  #onSilent(peer: DeviceId, silence: Seconds): void {
    const session = this.#sessions.get(peer)
    if (session === undefined) return
    const because = `silent for ${silence.toFixed(1)} s`
    session.lose(new NetworkError(`${peer} has left: ${because}`))
    this.#event({ kind: 'left', peer, role: session.member.role, because })
  }

  #onBack(peer: DeviceId): void {
    const session = this.#sessions.get(peer)
    if (session !== undefined) this.#event({ kind: 'joined', peer, role: session.member.role })
  }

  #onRefused(peer: DeviceId, because: string): void {
    this.#counters.refusedPeers++
    this.#dialler.resent(peer)
    this.#event({ kind: 'refused', peer, because })
  }

  #look(): void {
    this.#liveness.look()
    const now = this.#clock.now()
    for (const session of this.#sessions.values()) if (now - session.control.lastSent >= QUIET) session.ping()
  }

  // ---- discovery ----

  /** From mDNS; libp2p also tells of every peer that it hears of for the first time, without an address. */
  #onDiscovery({ id, multiaddrs }: PeerInfo): void {
    if (multiaddrs.length === 0) return
    const peer = deviceId(id.toString())
    this.#dialler.learn(peer, multiaddrs.map(String))
    this.#dialler.meet(peer)
  }

  /** Tell a peer where devices can be dialled. */
  #introduce(session: PeerSession, devices: readonly DeviceId[]): void {
    const known = devices
      .filter(device => device === this.self || this.#sessions.get(device)?.member.role === 'device')
      .map(device => ({ device, addresses: [...this.#addressesOf(device)] }))
      .filter(({ device, addresses }) => addresses.length > 0 && device !== session.member.peer)
      .slice(0, MAX_ACQUAINTANCES)
      .map(known => ({ $typeName: 'tributary.v1.Acquaintance', ...known }) as const)
    if (known.length === 0) return
    const value = { $typeName: 'tributary.v1.Acquaintances', devices: known } as const
    session.control.send(0n, { case: 'acquaintances', value })
  }

  #addressesOf(device: DeviceId): readonly string[] {
    return device === this.self ? this.addresses() : this.#dialler.addressesOf(device)
  }

  #onAcquaintances(from: DeviceId, devices: readonly Acquaintance[]): void {
    for (const { device, addresses } of devices.slice(0, MAX_ACQUAINTANCES)) {
      const peer = deviceId(device)
      const fresh = this.#dialler.learn(peer, addresses.slice(0, 32))
      if (peer !== from) this.#dialler.meet(peer)
      else if (fresh) for (const other of this.#sessions.values()) this.#introduce(other, [from])
    }
  }

  // ---- what comes in ----

  #onTask(arrived: ArrivedTask): TaskAnswer {
    let answer: TaskAnswer
    try {
      answer = this.#handlers.onTask(arrived)
    } catch (error) {
      answer = { kind: 'refused', because: error instanceof Error ? error.message : String(error) }
    }
    if (answer.kind === 'refused') this.#counters.refusedTasks++
    return answer
  }

  #serveBlobs(stream: Stream, session: PeerSession): void {
    session.track(stream)
    const { peer } = session.member
    const parts = { store: this.#options.blobStore, clock: this.#clock }
    serveBlobs(stream, session, parts, () => this.#liveness.heard(peer)).catch((error: unknown) => {
      stream.abort(error instanceof Error ? error : new NetworkError(String(error)))
    })
  }

  #onBroken(peer: DeviceId, kind: 'malformed' | 'oversized', because?: string): void {
    if (kind === 'malformed') this.#counters.malformedFrames++
    else this.#counters.oversizedFrames++
    if (because !== undefined) this.#say(`${peer} sent ${because}`)
  }

  #event(event: PeerEvent): void {
    if (event.kind === 'refused') this.#say(`refused ${event.peer}: ${event.because}`)
    if (!this.#over.signal.aborted) this.#tell(() => this.#handlers.onPeer(event))
  }

  /** What a handler throws is its own failure, not the peer's. */
  #tell(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#say(`a handler failed: ${error instanceof Error ? error.stack : error}`)
    }
  }

  #say(text: string): void {
    this.#options.say?.(text)
  }
}

const listenError = (error: unknown, listen: readonly string[]): unknown => {
  const message = error instanceof Error ? error.message : String(error)
  const code = /\b(EADDRINUSE|EADDRNOTAVAIL|EACCES)\b[^\n]*?([\d.:a-f[\]]+:\d+)?\s*$/m.exec(message)
  if (code === null) return error
  const where = code[2] ?? listen.join(', ')
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the port is in use; choose another with --listen HOST:PORT, or port 0 for any',
    EADDRNOTAVAIL: 'this machine has no such address; choose another with --listen HOST:PORT',
    EACCES: 'this user may not listen on that port; choose one above 1023 with --listen HOST:PORT'
  }
  return new UserError(`cannot listen on ${where}: ${reasons[code[1] ?? '']}`, { cause: error })
}
