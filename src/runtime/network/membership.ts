import type { Connection, PeerInfo } from '@libp2p/interface'
import type { Clock } from '../../core/clock.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { Acquaintance } from '../generated/tributary/v1/wire_pb.ts'
import type { Member } from './admission.ts'
import type { AdmissionGate } from './admission-gate.ts'
import { BoundedMap } from './bounded-map.ts'
import type { ClusterKey } from './cluster-key.ts'
import { ConnectionDesk } from './connection-desk.ts'
import type { Host } from './create-host.ts'
import { deferred } from './deferred.ts'
import { Dialler } from './dialler.ts'
import type { FrameLimits } from './frame-limits.ts'
import { LinkMeter } from './link-meter.ts'
import { Liveness } from './liveness.ts'
import { NetworkError, type PeerEvent, type Role } from './network.ts'
import { type LinkShape, Pacer } from './pacer.ts'
import { type PeerLink, PeerSession, type SessionEvents } from './peer-session.ts'

export interface MembershipParts {
  readonly self: DeviceId
  /** Drawn per process start. */
  readonly life: bigint
  readonly role: Role
  readonly key: ClusterKey
  readonly clock: Clock
  readonly gate: AdmissionGate
  readonly limits: FrameLimits
  readonly suspectAfter: Seconds
  readonly shape: (peer: DeviceId) => LinkShape | undefined
  /** What a peer sends; acquaintances and signs of life are ours. */
  readonly traffic: (peer: DeviceId) => Omit<SessionEvents, 'onAcquaintances' | 'onHeard'>
  readonly onEvent: (event: PeerEvent) => void
  readonly say: (text: string) => void
}

/** Says that we are alive though we may have nothing to say, and keeps the measure of the round trip fresh. */
const PING_EVERY: Seconds = seconds(0.5)
/** Where no frame has passed for so long only signs of life are needed, from either side: its ping answers for ours. */
const IDLE_AFTER: Seconds = seconds(10)
const IDLE_SILENCE: Seconds = seconds(1)
/** Devices in one message of acquaintances. */
const MAX_ACQUAINTANCES = 256
/** Peers whose link is remembered after they left. */
const MAX_LINKS = 1024

/** Who is in the cluster now: from connections to sessions, from silence to departure, from one address to all. */
export class Membership {
  /** Looks at the clock that often. */
  readonly interval: Seconds
  readonly #parts: MembershipParts
  readonly #desk: ConnectionDesk
  readonly #dialler: Dialler
  readonly #liveness: Liveness
  readonly #sessions = new Map<DeviceId, PeerSession>()
  readonly #links = new BoundedMap<DeviceId, PeerLink>(MAX_LINKS)
  readonly #host = deferred<Host>()
  readonly #stopping = new AbortController()
  #addresses: () => readonly string[] = () => []
  #identify: (connection: Connection) => void = () => {}

  constructor(parts: MembershipParts) {
    const { self, life, role, key, clock, gate, suspectAfter } = parts
    this.#parts = parts
    this.#desk = new ConnectionDesk({
      gate,
      clock,
      credentials: { self, role, incarnation: life, key },
      onMember: (connection, member) => this.#onMember(connection, member),
      onRefused: (peer, because) => this.#onRefused(peer, because)
    })
    this.#dialler = new Dialler({
      self,
      clock,
      dial: async (address, signal) => (await this.#host.promise).dial(address, { signal }),
      admitted: connection => gate.verdict(connection),
      connected: peer => this.#sessions.has(peer),
      say: parts.say
    })
    this.#liveness = new Liveness({
      clock,
      suspectAfter,
      onSilent: (peer, silence) => this.#onSilent(peer, silence),
      onBack: peer => this.#onBack(peer),
      onDead: peer => this.#onDead(peer)
    })
    this.interval = this.#liveness.interval
  }

  /** The host whose connections these are; it may not have started yet. */
  attach(host: Host): ConnectionDesk {
    this.#addresses = () => host.getMultiaddrs().map(String)
    // GossipSub hears from identify who speaks it.
    this.#identify = connection => void host.services.identify.identify(connection).catch(() => {})
    host.addEventListener('connection:open', ({ detail }) => this.#desk.onOpen(detail))
    host.addEventListener('peer:discovery', ({ detail }) => this.#onDiscovery(detail))
    host.addEventListener('start', () => this.#host.resolve(host))
    return this.#desk
  }

  /** @throws UserError when it is not an address */
  join(address: string): void {
    this.#dialler.join(address)
  }

  /** Admitted and connected, even if silent just now. */
  session(peer: DeviceId): PeerSession | undefined {
    return this.#sessions.get(peer)
  }

  /** Admitted, connected, and heard of late. */
  live(peer: DeviceId): PeerSession | undefined {
    return this.#liveness.isSilent(peer) ? undefined : this.#sessions.get(peer)
  }

  liveRoles(): ReadonlyMap<DeviceId, Role> {
    const live = [...this.#sessions].filter(([peer]) => !this.#liveness.isSilent(peer))
    return new Map(live.map(([peer, { member }]) => [peer, member.role]))
  }

  /** Of a peer that is here or was. */
  link(peer: DeviceId): PeerLink | undefined {
    return this.#links.get(peer)
  }

  heard(peer: DeviceId): void {
    this.#liveness.heard(peer)
  }

  /** To be called every `interval`. */
  look(): void {
    this.#liveness.look()
    const now = this.#parts.clock.now()
    for (const [peer, session] of this.#sessions) {
      const isIdle = now - session.lastFrame(now) > IDLE_AFTER
      if (isIdle ? this.#liveness.silence(peer) >= IDLE_SILENCE : now - session.lastPing >= PING_EVERY) session.ping()
    }
  }

  /** No more events; whatever waits for a peer is rejected. Connections are the host's to close. */
  stop(): void {
    const stopped = new NetworkError('the network was stopped')
    this.#stopping.abort(stopped)
    this.#host.reject(stopped)
    this.#dialler.stop()
    const sessions = [...this.#sessions.values()]
    this.#sessions.clear()
    for (const session of sessions) session.lose(stopped)
  }

  #event(event: PeerEvent): void {
    if (!this.#stopping.signal.aborted) this.#parts.onEvent(event)
  }

  #onMember(connection: Connection, member: Member): void {
    if (connection.status !== 'open' || this.#stopping.signal.aborted) return
    const { peer } = member
    const known = this.#sessions.get(peer)
    if (known !== undefined && known.member.incarnation !== member.incarnation) this.#end(known, 'it restarted')
    // A peer that was silent and comes on a new connection has lost the old ones.
    const stale = this.#liveness.isSilent(peer) ? (this.#sessions.get(peer)?.connections() ?? []) : []
    const session = this.#sessions.get(peer) ?? this.#begin(member)
    session.addConnection(connection)
    connection.addEventListener('close', () => this.#onClosed(session, connection))
    for (const old of stale) old.abort(new NetworkError('replaced by a newer connection'))
    this.#liveness.heard(peer)
    if (connection.direction === 'outbound') this.#dialler.learn(peer, [`${connection.remoteAddr}`])
    this.#identify(connection)
  }

  #begin(member: Member): PeerSession {
    const { clock, limits, say, shape, traffic } = this.#parts
    const { peer, role, incarnation: life } = member
    const link = this.#links.get(peer) ?? { meter: new LinkMeter(), pacer: new Pacer(clock) }
    this.#links.set(peer, link)
    const events = {
      ...traffic(peer),
      onAcquaintances: (devices: readonly Acquaintance[]) => this.#onAcquaintances(peer, devices),
      onHeard: () => this.#liveness.heard(peer)
    }
    const session = new PeerSession({ member, link, clock, limits, events, say, shape: () => shape(peer) })
    this.#sessions.set(peer, session)
    this.#liveness.add(peer)
    this.#dialler.forgive(peer)
    // Once the connection is its own.
    queueMicrotask(() => {
      session.ping()
      this.#introduce(session, [this.#parts.self, ...this.#sessions.keys()])
      this.#event({ kind: 'joined', peer, role, life })
    })
    return session
  }

  #onClosed(session: PeerSession, connection: Connection): void {
    session.removeConnection(connection)
    const [other] = session.connections()
    if (other === undefined) this.#end(session, 'its connection closed')
    else this.#parts.gate.moveOver(other, this.#stopping.signal).catch(() => {})
  }

  #end(session: PeerSession, because: string): void {
    const { peer, role } = session.member
    if (this.#sessions.get(peer) !== session) return
    this.#sessions.delete(peer)
    const wasSilent = this.#liveness.remove(peer)
    session.lose(new NetworkError(`${peer} has left: ${because}`))
    for (const connection of session.connections()) connection.abort(new NetworkError(because))
    if (!wasSilent) this.#event({ kind: 'left', peer, role, because })
    if (role === 'device') this.#dialler.miss(peer)
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
    if (session === undefined) return
    const { role, incarnation: life } = session.member
    this.#event({ kind: 'joined', peer, role, life })
  }

  #onDead(peer: DeviceId): void {
    const session = this.#sessions.get(peer)
    if (session !== undefined) this.#end(session, 'it was silent for too long')
  }

  #onRefused(peer: DeviceId, because: string): void {
    this.#dialler.resent(peer)
    this.#event({ kind: 'refused', peer, because })
  }

  /** From mDNS; libp2p also tells of every peer that it hears of for the first time, without an address. */
  #onDiscovery({ id, multiaddrs }: PeerInfo): void {
    if (multiaddrs.length === 0) return
    const peer = deviceId(id.toString())
    this.#dialler.learn(peer, multiaddrs.map(String))
    this.#dialler.meet(peer)
  }

  /** Tell a peer where devices can be dialled. */
  #introduce(session: PeerSession, devices: readonly DeviceId[]): void {
    const { self } = this.#parts
    const known = devices
      .filter(device => device === self || this.#sessions.get(device)?.member.role === 'device')
      .filter(device => device !== session.member.peer)
      .map(device => ({
        $typeName: 'tributary.v1.Acquaintance' as const,
        device,
        addresses: [...(device === self ? this.#addresses() : this.#dialler.addressesOf(device))]
      }))
      .filter(({ addresses }) => addresses.length > 0)
      .slice(0, MAX_ACQUAINTANCES)
    if (known.length === 0) return
    const value = { $typeName: 'tributary.v1.Acquaintances', devices: known } as const
    session.control.send(0n, { case: 'acquaintances', value })
  }

  #onAcquaintances(from: DeviceId, devices: readonly Acquaintance[]): void {
    for (const { device, addresses } of devices.slice(0, MAX_ACQUAINTANCES)) {
      const peer = deviceId(device)
      const fresh = this.#dialler.learn(peer, addresses)
      if (peer !== from) this.#dialler.meet(peer)
      else if (fresh) for (const other of this.#sessions.values()) this.#introduce(other, [from])
    }
  }
}
