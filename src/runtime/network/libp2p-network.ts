import { create } from '@bufbuild/protobuf'
import type { Connection, Stream } from '@libp2p/interface'
import { PeerBudgets } from '../../cluster/peer-budgets.ts'
import type { Clock } from '../../core/clock.ts'
import { deferred } from '../../core/deferred.ts'
import type { BlockHash, DeviceId } from '../../core/ids.ts'
import { JobGuard } from '../../core/job-guard.ts'
import { stopOnce } from '../../core/stop-once.ts'
import { type Bytes, type Seconds, seconds } from '../../core/units.ts'
import {
  type DeviceState,
  type Notice,
  type PackedState,
  type PolicyReport,
  type Reply,
  ReplySchema,
  type Request,
  RequestSchema,
  type Task
} from '../generated/tributary/v1/wire_pb.ts'
import { nodeRandom } from '../node-random.ts'
import {
  type ArrivedTask,
  type LinkMeasure,
  type Network,
  type NetworkCounters,
  NetworkError,
  type NetworkHandlers,
  type PeerEvent,
  type PeersBudgets,
  type Right,
  type Role,
  type Sending,
  type Sent,
  type TaskAnswer
} from '../ports/network.ts'
import type { Random } from '../ports/random.ts'
import type { WireTensor } from '../ports/wire-tensor.ts'
import { wallTime } from '../system-clock.ts'
import { ADMISSION_PROTOCOL } from './admission.ts'
import { AdmissionGate } from './admission-gate.ts'
import { BlobFetcher } from './blob-fetcher.ts'
import { BLOB_PROTOCOL } from './blob-protocol.ts'
import { serveBlobs } from './blob-server.ts'
import type { ClusterKey } from './cluster-key.ts'
import type { ConnectionDesk } from './connection-desk.ts'
import { CONTROL_TRAFFIC } from './control-traffic.ts'
import { createHost, type Host, stopHost } from './create-host.ts'
import { FRAME_LIMITS } from './frame-limits.ts'
import { Gossip } from './gossip.ts'
import { peerIdOf } from './identity.ts'
import type { Libp2pNetworkOptions } from './libp2p-network-options.ts'
import { listenError } from './listen-error.ts'
import { ClusterRoll } from './members/cluster-roll.ts'
import { payerOf } from './members/payer-of.ts'
import { Membership, type MembershipParts } from './membership.ts'
import { paceReading } from './pace-reading.ts'
import { allSpoken, dialable, parseAddress, type Spoken } from './parse-address.ts'
import { CONTROL_PROTOCOL, type PeerSession, TASK_PROTOCOL } from './peer-session.ts'

export type { Libp2pNetworkOptions } from './libp2p-network-options.ts'

const SUSPECT_AFTER: Seconds = seconds(3)

/** For the last words, where a peer takes none any more. */
const FAREWELL: Seconds = seconds(0.3)

/** On whose budget lines are of holders that do not give a block: there may be many, and many blocks. */
const BLOCKS = 'blocks that others do not give'

const absent = (peer: DeviceId): NetworkError => new NetworkError(`${peer} is not connected`)

/**
 * The port Network on js-libp2p: the transports that it is given, TLS (Noise as second choice), yamux; GossipSub for slow state.
 *
 *   addresses, mDNS, acquaintances, lost peers ──▶ Dialler ──▶ connection
 *   connection ──▶ ConnectionDesk: admission    ──▶ PeerSession: tasks, control, the measures of the link
 *   stream     ──▶ AdmissionGate: waits for it  ──▶ the session's, or blobs, identify, ping, gossip
 *
 * @throws UserError when an address to listen on is not one
 */
export const createLibp2pNetwork = (options: Libp2pNetworkOptions): Network => new Libp2pNetwork(options)

const rollOf = (cluster: ClusterRoll | ClusterKey, self: DeviceId): ClusterRoll =>
  cluster instanceof ClusterRoll
    ? cluster
    : new ClusterRoll({ self, name: '', footing: { kind: 'holder', key: cluster }, wallTime })

class Libp2pNetwork implements Network {
  readonly self: DeviceId
  readonly life: bigint
  readonly stop: () => Promise<void>
  readonly #options: Libp2pNetworkOptions
  readonly #clock: Clock
  readonly #roll: ClusterRoll
  readonly #random: Random
  readonly #listen: ReturnType<typeof parseAddress>[]
  readonly #spoken: Spoken
  readonly #guard: JobGuard
  readonly #budgets: PeerBudgets
  readonly #gate: AdmissionGate
  readonly #fetcher: BlobFetcher
  readonly #counters = { refusedPeers: 0, malformedFrames: 0, oversizedFrames: 0, refusedTasks: 0 }
  readonly #over = new AbortController()
  /** Where others are looked for once it has started. */
  readonly #joins: (readonly string[])[] = []
  #started: Promise<void> | undefined
  /** Since the start, and not before: until then there is nobody to hear what others say. */
  #membership: Membership | undefined
  #host: Host | undefined
  #gossip: Gossip | undefined

  constructor(options: Libp2pNetworkOptions) {
    const { privateKey, listen, clock, blobStore, transports } = options
    this.#options = options
    this.#clock = clock
    this.#random = options.random ?? nodeRandom
    this.life = new DataView(this.#random.bytes(8).buffer).getBigUint64(0)
    this.#spoken = allSpoken(transports)
    this.#listen = listen.map(text => parseAddress(text, 'listen', this.#spoken))
    this.self = peerIdOf(privateKey)
    this.#roll = rollOf(options.cluster, this.self)
    this.#guard = options.guard ?? new JobGuard({ clock, say: (text, level) => this.#say(text, level) })
    this.#budgets = new PeerBudgets({
      now: () => clock.now(),
      payerOf: peer => this.payerOf(peer as DeviceId),
      exceeded: (peer, because) => this.#say(`${peer}: ${because}`, 'warn')
    })
    this.#gate = new AdmissionGate(clock)
    this.#fetcher = new BlobFetcher({
      store: blobStore,
      clock,
      session: peer => this.#membership?.live(peer),
      heard: peer => this.#membership?.heard(peer),
      say: (text, level) => void (this.#budgets.takes(BLOCKS, 'lines') && this.#say(text, level))
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
    return this.#membership?.liveRoles() ?? new Map()
  }

  rightOf(peer: DeviceId): Right {
    const member = this.#membership?.session(peer)?.member
    if (member === undefined) return 'none'
    return member.mayAdmit ? 'holder' : member.vouchedBy === this.self ? 'here' : 'none'
  }

  boundName(peer: DeviceId): string | undefined {
    return this.#roll.boundName(peer)
  }

  payerOf(peer: DeviceId): string {
    const member = this.#membership?.session(peer)?.member
    return member === undefined ? peer : payerOf(member)
  }

  start(handlers: NetworkHandlers): Promise<void> {
    this.#started ??= this.#start(handlers)
    return this.#started
  }

  join(...addresses: readonly string[]): void {
    dialable(addresses, this.#spoken)
    if (this.#membership === undefined) this.#joins.push(addresses)
    else this.#membership.join(addresses)
  }

  acquaintances(): ReadonlyMap<DeviceId, readonly string[]> {
    return this.#membership?.acquaintances() ?? this.#options.recalled ?? new Map()
  }

  sendTask(to: DeviceId, task: Task, tensors: readonly WireTensor[], report?: PolicyReport): Sending {
    const session = this.#membership?.live(to)
    if (session !== undefined) return session.tasks.send({ case: 'task', value: task }, tensors, report)
    const written = deferred<Sent>()
    const answered = deferred<TaskAnswer>()
    for (const promise of [written, answered]) promise.reject(absent(to))
    return { written: written.promise, answered: answered.promise }
  }

  async request(to: DeviceId, request: Request, options?: { readonly timeout?: Seconds }): Promise<Reply> {
    const session = this.#membership?.live(to)
    if (session === undefined) throw absent(to)
    return session.request(request, options?.timeout)
  }

  notify(to: DeviceId, notice: Notice): void {
    this.#membership?.live(to)?.control.send(0n, { case: 'notice', value: notice })
  }

  publishState(state: DeviceState): void {
    this.#gossip?.publish(state)
  }

  fetchBlob(hash: BlockHash, size: Bytes, holders: readonly DeviceId[], signal?: AbortSignal): Promise<string> {
    return this.#fetcher.fetch(hash, size, holders, signal)
  }

  link(to: DeviceId): LinkMeasure | undefined {
    const shaper = this.#options.shaper?.(to)
    const measure = this.#membership?.link(to)?.meter.measure(shaper !== undefined)
    return measure === undefined || shaper?.medium === undefined ? measure : { ...measure, medium: shaper.medium }
  }

  counters(): NetworkCounters {
    return { ...this.#counters }
  }

  budgets(): PeersBudgets {
    return this.#budgets
  }

  // ---- life ----

  async #start(handlers: NetworkHandlers): Promise<void> {
    this.#over.signal.throwIfAborted()
    const { privateKey, mdns = true, transports } = this.#options
    const membership = this.#membersFor(handlers)
    this.#membership = membership
    for (const addresses of this.#joins) membership.join(addresses)
    const host = await createHost({
      privateKey,
      listen: this.#listen,
      mdns,
      transports,
      gate: this.#gate,
      incarnation: this.life,
      hears: (stream, peer) => paceReading(stream, { clock: this.#clock, rest: size => this.#hearsGossip(peer, size) }),
      onTwin: (incarnation, address) => membership.onOwnTwin(incarnation, address)
    })
    this.#host = host
    const desk = membership.attach(host)
    await this.#handleProtocols(host, desk, membership)
    const gossip = new Gossip({
      gossip: host.services.gossip,
      lifeOf: peer => membership.session(peer)?.member.incarnation,
      budgets: this.#budgets,
      fetchBase: from => this.#fetchBase(from),
      deliver: (from, state) => this.#tell(() => handlers.onState(from, state)),
      onMalformed: (from, because) => this.#onBroken(from, 'malformed', because)
    })
    this.#gossip = gossip
    try {
      await host.start()
    } catch (error) {
      await stopHost(host)
      throw listenError(error, this.#options.listen)
    }
    gossip.subscribe()
    const { signal } = this.#over
    const look = (): void => membership.look()
    void this.#guard.every('watching peers', () => membership.interval, look, { clock: this.#clock, signal })
  }

  async #handleProtocols(host: Host, desk: ConnectionDesk, membership: Membership): Promise<void> {
    const guarded =
      (accept: (stream: Stream, session: PeerSession) => void) =>
      async (stream: Stream, connection: Connection): Promise<void> => {
        const { peer } = await this.#gate.hold(stream, connection)
        const session = membership.session(peer)
        if (session === undefined) stream.abort(new NetworkError('the peer has left'))
        else accept(stream, session)
      }
    const admission = (stream: Stream, connection: Connection): Promise<void> => desk.onStream(stream, connection)
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
      guarded((stream, session) => this.#serveBlobs(stream, session, membership)),
      { maxInboundStreams: 16 }
    )
  }

  async #shutDown(): Promise<void> {
    await this.#finishSpeaking()
    const stopped = new NetworkError('the network was stopped')
    this.#over.abort(stopped)
    this.#membership?.stop()
    this.#fetcher.stop()
    await this.#started?.catch(() => {})
    const host = this.#host
    if (host === undefined) return
    const done = new AbortController()
    const late = this.#clock.sleep(seconds(0.4), { signal: done.signal }).then(
      () => {
        for (const connection of host.getConnections()) connection.abort(stopped)
      },
      () => {}
    )
    await stopHost(host)
    done.abort()
    await late
  }

  async #finishSpeaking(): Promise<void> {
    const done = new AbortController()
    const late = this.#clock.sleep(FAREWELL, { signal: done.signal }).catch(() => {})
    await Promise.race([this.#membership?.written(), late])
    done.abort()
  }

  // ---- what comes in ----

  #membersFor(handlers: NetworkHandlers): Membership {
    const { clock, role = 'device', limits, suspectAfter, shaper, recalled } = this.#options
    const { onTwins, onAcquainted, onShut } = this.#options
    return new Membership({
      ...{
        self: this.self,
        life: this.life,
        role,
        roll: this.#roll,
        clock,
        budgets: this.#budgets,
        gate: this.#gate,
        guard: this.#guard
      },
      limits: { ...FRAME_LIMITS, ...limits },
      suspectAfter: suspectAfter ?? SUSPECT_AFTER,
      spoken: this.#spoken,
      shaper: peer => shaper?.(peer),
      traffic: peer => this.#traffic(peer, handlers),
      onEvent: event => this.#onPeer(event, handlers),
      onTwins: twins => this.#tell(() => onTwins?.(twins, this.self)),
      onShut: because => this.#tell(() => onShut?.(because)),
      recalled: recalled ?? new Map(),
      onAcquainted: () => this.#tell(() => onAcquainted?.(this.acquaintances())),
      say: (text, level) => this.#say(text, level)
    })
  }

  #traffic(peer: DeviceId, handlers: NetworkHandlers): ReturnType<MembershipParts['traffic']> {
    return {
      onTask: arrived => this.#onTask(arrived, handlers),
      onRequest: request => this.#onRequest(peer, request, handlers),
      onNotice: notice => this.#tell(() => handlers.onNotice(peer, notice)),
      onBroken: kind => this.#onBroken(peer, kind)
    }
  }

  #onPeer(event: PeerEvent, handlers: NetworkHandlers): void {
    if (event.kind === 'refused') this.#counters.refusedPeers++ // the handlers say it
    this.#tell(() => handlers.onPeer(event))
    if (event.kind === 'joined') this.#gossip?.admit(event.peer)
  }

  #onTask(arrived: ArrivedTask, handlers: NetworkHandlers): TaskAnswer {
    let answer: TaskAnswer
    try {
      answer = handlers.onTask(arrived)
    } catch (error) {
      answer = { kind: 'refused', because: error instanceof Error ? error.message : String(error) }
    }
    if (answer.kind === 'refused') this.#counters.refusedTasks++
    return answer
  }

  async #onRequest(peer: DeviceId, request: Request, handlers: NetworkHandlers): Promise<Reply> {
    if (!this.#budgets.takes(peer, 'requests')) throw new NetworkError('too many requests; ask more slowly')
    const { body } = request
    if (body.case === 'state') return this.#baseReply()
    if (body.case !== 'members') return handlers.onRequest(peer, request)
    const membership = this.#membership
    if (membership === undefined) throw absent(peer)
    return membership.answerOfMembers(peer, body.value)
  }

  /** @returns for how long no more of it is read */
  #hearsGossip(peer: DeviceId, size: number): Seconds {
    if (CONTROL_TRAFFIC.hasSubscribers) CONTROL_TRAFFIC.publish({ kind: 'heard.gossip', bytes: size })
    return this.#budgets.spends(peer, 'gossipBytes', size)
  }

  #baseReply(): Reply {
    const base = this.#gossip?.base
    return create(ReplySchema, base === undefined ? {} : { body: { case: 'state', value: base } })
  }

  async #fetchBase(from: DeviceId): Promise<PackedState | undefined> {
    const { body } = await this.request(from, create(RequestSchema, { body: { case: 'state', value: {} } }))
    return body.case === 'state' ? body.value : undefined
  }

  #serveBlobs(stream: Stream, session: PeerSession, membership: Membership): void {
    session.track(stream)
    const { peer } = session.member
    const parts = { store: this.#options.blobStore, clock: this.#clock }
    serveBlobs(stream, session, parts, () => membership.heard(peer)).catch((error: unknown) => {
      stream.abort(error instanceof Error ? error : new NetworkError(String(error)))
    })
  }

  #onBroken(peer: DeviceId, kind: 'malformed' | 'oversized', because?: string): void {
    if (kind === 'malformed') this.#counters.malformedFrames++
    else this.#counters.oversizedFrames++
    if (because !== undefined && this.#budgets.takes(peer, 'lines')) this.#say(`${peer} sent ${because}`, 'warn')
  }

  /** What a handler throws is its own failure, not the peer's. */
  #tell(work: () => void): void {
    this.#guard.run('telling what the network hears', work)
  }

  #say(text: string, level?: 'warn'): void {
    this.#options.say?.(text, level)
  }
}
