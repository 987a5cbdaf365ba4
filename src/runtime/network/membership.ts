import type { Connection, PeerInfo } from '@libp2p/interface'
import type { PeerBudgets } from '../../cluster/peer-budgets.ts'
import type { Clock } from '../../core/clock.ts'
import { deferred } from '../../core/deferred.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { Acquaintance, MemberRecords, MembersRequest, Reply } from '../generated/tributary/v1/wire_pb.ts'
import type { LinkShaper } from '../ports/link-shaper.ts'
import { NetworkError, type PeerEvent, type Role } from '../ports/network.ts'
import type { Member } from './admission.ts'
import type { AdmissionGate } from './admission-gate.ts'
import { BoundedMap } from './bounded-map.ts'
import { ConnectionDesk } from './connection-desk.ts'
import type { Host } from './create-host.ts'
import { Dialler, MAX_ADDRESSES } from './dialler.ts'
import type { FrameLimits } from './frame-limits.ts'
import { IncarnationBook, type Twins, twinsOf } from './incarnation-book.ts'
import { isLoopbackAddress } from './is-loopback-address.ts'
import { LinkMeter } from './link-meter.ts'
import { Liveness } from './liveness.ts'
import type { ClusterRoll } from './members/cluster-roll.ts'
import { hasGuestPlace } from './members/guest-places.ts'
import { MemberDesk } from './members/member-desk.ts'
import { REFUSALS } from './members/refusal.ts'
import type { Spoken } from './parse-address.ts'
import { type PeerLink, PeerSession, type SessionEvents } from './peer-session.ts'
import { PeerWatch } from './peer-watch.ts'

export interface MembershipParts {
  readonly self: DeviceId
  /** Drawn per process start. */
  readonly life: bigint
  readonly role: Role
  readonly roll: ClusterRoll
  readonly clock: Clock
  readonly budgets: PeerBudgets
  readonly gate: AdmissionGate
  readonly guard: JobGuard
  readonly limits: FrameLimits
  readonly suspectAfter: Seconds
  /** What this build can dial. */
  readonly spoken: Spoken
  readonly shaper: (peer: DeviceId) => LinkShaper | undefined
  /** What a peer sends; acquaintances, words about members and signs of life are ours. */
  readonly traffic: (
    peer: DeviceId
  ) => Omit<SessionEvents, 'onAcquaintances' | 'onRecords' | 'onAsked' | 'onDoubt' | 'onHeard'>
  readonly onEvent: (event: PeerEvent) => void
  /** Two processes have one identity; it may be ours. Told at most once a minute for each. */
  readonly onTwins: (twins: Twins) => void
  /** Whoever answers where the user said does not let this device in, and will not: why. */
  readonly onShut: (because: string) => void
  /** Devices to look for from the start, with where they were. */
  readonly recalled: ReadonlyMap<DeviceId, readonly string[]>
  /** There is news of `acquaintances`. */
  readonly onAcquainted: () => void
  readonly say: (text: string, level?: 'warn') => void
}

/** Devices in one message of acquaintances. */
const MAX_ACQUAINTANCES = 256
/** Devices of this and earlier runs that are worth remembering. */
const MAX_ACQUAINTED = 64
/** Between two words about the same twins. */
const TWINS_PAUSE: Seconds = seconds(60)
/** For what is said to a peer that has to go. */
const LAST_WORD: Seconds = seconds(0.3)
/** Peers whose link is remembered after they left. */
const MAX_LINKS = 1024

/** Who is in the cluster now: from connections to sessions, from silence to departure, from one address to all. */
export class Membership {
  /** Looks at the clock that often. */
  readonly interval: Seconds
  readonly #parts: MembershipParts
  readonly #desk: ConnectionDesk
  readonly #dialler: Dialler
  readonly #members: MemberDesk
  readonly #liveness: Liveness
  readonly #watch: PeerWatch
  readonly #sessions = new Map<DeviceId, PeerSession>()
  readonly #links = new BoundedMap<DeviceId, PeerLink>(MAX_LINKS)
  readonly #incarnations = new IncarnationBook()
  readonly #saidOfTwins = new BoundedMap<DeviceId, Seconds>(MAX_LINKS)
  /** Devices that were here, the latest last. */
  readonly #acquainted = new Set<DeviceId>()
  readonly #host = deferred<Host>()
  readonly #stopping = new AbortController()
  #addresses: () => readonly string[] = () => []
  #identify: (connection: Connection) => void = () => {}

  constructor(parts: MembershipParts) {
    const { self, life, role, roll, clock, gate, suspectAfter, budgets } = parts
    this.#parts = parts
    this.#liveness = new Liveness({
      clock,
      suspectAfter,
      onSilent: (peer, silence) => this.#onSilent(peer, silence),
      onBack: peer => this.#onBack(peer),
      onDead: peer => this.#onDead(peer)
    })
    this.#watch = new PeerWatch({ self, clock, guard: parts.guard, liveness: this.#liveness, peers: this.#sessions })
    this.#desk = new ConnectionDesk({
      gate,
      clock,
      credentials: {
        role,
        incarnation: life,
        roll,
        certify: (comes, invited, ticket) => this.#members.certify(comes, invited, ticket),
        insteadOf: (member, connection) => this.#insteadOf(member, connection),
        hasRoomFor: member =>
          hasGuestPlace(
            member,
            [...this.#sessions.values()].map(session => session.member)
          )
      },
      lateness: () => this.#liveness.lateness,
      onTwin: address => this.#onTwinStays(address),
      onMember: (connection, member) => this.#onMember(connection, member),
      onRefused: (peer, because, isFinal) => this.#onRefused(peer, because, isFinal)
    })
    this.#members = new MemberDesk({
      ...{ roll, clock, budgets },
      sessions: () => this.#sessions.values(),
      expel: (peer, because, ticket) => this.#expel(peer, because, ticket),
      leave: because => this.#leave(because),
      say: parts.say
    })
    this.#dialler = new Dialler({
      self,
      clock,
      dial: async (address, signal) => (await this.#host.promise).dial(address, { signal }),
      admitted: connection => gate.verdict(connection),
      connected: peer => this.#sessions.has(peer),
      spoken: parts.spoken,
      lateness: () => this.#liveness.lateness,
      own: () => this.#addresses(),
      budgets,
      onShut: ({ message }) => parts.onShut(message),
      say: parts.say
    })
    for (const peer of [...parts.recalled.keys()].reverse()) this.#acquainted.add(peer)
    this.interval = this.#liveness.interval
  }

  /** The host whose connections these are; it may not have started yet. */
  attach(host: Host): ConnectionDesk {
    this.#addresses = () => host.getMultiaddrs().map(String)
    // GossipSub hears from identify who speaks it.
    this.#identify = connection => void host.services.identify.identify(connection).catch(() => {})
    host.addEventListener('connection:open', ({ detail }) => this.#desk.onOpen(detail))
    host.addEventListener('peer:discovery', ({ detail }) => this.#onDiscovery(detail))
    host.addEventListener('start', () => {
      this.#host.resolve(host)
      for (const [peer, addresses] of this.#parts.recalled) this.#dialler.recall(peer, addresses)
    })
    return this.#desk
  }

  /** Until one of them answers. @throws UserError when one is not an address */
  join(addresses: readonly string[]): void {
    this.#dialler.join(addresses)
  }

  /** Devices that are or were here, the latest first, with where they can be dialled. */
  acquaintances(): ReadonlyMap<DeviceId, readonly string[]> {
    const latest = [...this.#acquainted].reverse().slice(0, MAX_ACQUAINTED)
    return new Map(latest.map(peer => [peer, this.#dialler.addressesOf(peer)]))
  }

  /** A process that is not this one has our identity, and spoke to us or was spoken to. */
  onOwnTwin(incarnation: bigint, address: string): void {
    const here = { incarnation: this.#parts.life, address: 'this device' }
    this.#sayTwins(twinsOf(this.#parts.self, here, { incarnation, address: hostOf(address) }))
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

  /** What was asked about members. */
  async answerOfMembers(asker: DeviceId, request: MembersRequest): Promise<Reply> {
    const session = this.#sessions.get(asker)
    if (session === undefined) throw new NetworkError('the peer has left')
    return this.#members.answer(session.member, request)
  }

  /** To be called every `interval`. */
  look(): void {
    const { guard } = this.#parts
    guard.run('sparing whom nobody asks', () => this.#watch.spareUnasked())
    guard.run('looking who is silent', () => this.#liveness.look())
    for (const [peer, { member }] of this.#sessions)
      if (member.ticketUntil !== undefined && this.#parts.roll.hasExpired(member.ticketUntil))
        this.#dismiss(peer, REFUSALS.expired.said)
    this.#watch.ask()
  }

  /** Resolves when the last words to everybody are on their way. */
  async written(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(({ control }) => control.written()))
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
    // It may have been removed while it was at the door.
    const { roll } = this.#parts
    if (roll.isRemoved(peer) || (member.vouchedBy !== undefined && roll.isRemoved(member.vouchedBy))) {
      connection.abort(new NetworkError(REFUSALS.removed.said))
      return
    }
    const known = this.#sessions.get(peer)
    if (known !== undefined && known.member.incarnation !== member.incarnation) this.#end(known, 'it restarted')
    // A peer that was silent and comes on a new connection has lost the old ones.
    const stale = this.#liveness.isSilent(peer) ? (this.#sessions.get(peer)?.connections() ?? []) : []
    const session = this.#sessions.get(peer) ?? this.#begin(member)
    session.addConnection(connection)
    session.meter.connected(isLoopbackAddress(`${connection.remoteAddr}`))
    connection.addEventListener('close', () => this.#onClosed(session, connection))
    for (const old of stale) old.abort(new NetworkError('replaced by a newer connection'))
    this.#liveness.heard(peer)
    const isNews = connection.direction === 'outbound' && this.#dialler.answered(peer, `${connection.remoteAddr}`)
    if (isNews && member.role === 'device') this.#parts.onAcquainted()
    this.#identify(connection)
  }

  #begin(member: Member): PeerSession {
    const { budgets, clock, limits, say, shaper, traffic } = this.#parts
    const { peer, role, incarnation: life } = member
    const link = this.#links.get(peer) ?? { meter: new LinkMeter() }
    this.#links.set(peer, link)
    const events = {
      ...traffic(peer),
      onAcquaintances: (devices: readonly Acquaintance[]) => this.#onAcquaintances(peer, devices),
      onRecords: (records: MemberRecords) => this.#members.onRecords(peer, records),
      onAsked: (watches: boolean) => this.#watch.onAsked(peer, watches),
      onDoubt: (device: DeviceId) => void (budgets.takes(peer, 'doubts') && this.#watch.onDoubt(device)),
      onHeard: () => this.#liveness.heard(peer)
    }
    const session = new PeerSession({
      ...{ member, link, clock, limits, events, budgets, shaper: () => shaper(peer) },
      say: (text, level) => void (budgets.takes(peer, 'lines') && say(text, level))
    })
    this.#sessions.set(peer, session)
    this.#watch.changed()
    this.#liveness.add(peer)
    this.#dialler.forgive(peer)
    if (role === 'device') this.#acquaint(peer)
    // Once the connection is its own.
    const { guard, self } = this.#parts
    queueMicrotask(() => {
      guard.run('asking who is there', () => session.ping())
      guard.run('telling who else is there', () => this.#introduce(session, [self, ...this.#sessions.keys()]))
      guard.run('telling who is a member', () => this.#members.greet(session))
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
    this.#watch.changed()
    const wasSilent = this.#liveness.remove(peer)
    session.lose(new NetworkError(`${peer} has left: ${because}`))
    for (const connection of session.connections()) connection.abort(new NetworkError(because))
    const isRemoved = this.#parts.roll.isRemoved(peer)
    if (!wasSilent || isRemoved) this.#event({ kind: 'left', peer, role, because, ...(isRemoved ? { isRemoved } : {}) })
    if (role === 'device' && !isRemoved) this.#dialler.miss(peer)
  }

  /** It is no member any more, and who comes by it neither; they are told, if they listen. */
  #expel(peer: DeviceId, because: string, ticket?: string): void {
    const { onAcquainted, roll } = this.#parts
    if (roll.isRemoved(peer)) {
      this.#dialler.resent(peer)
      if (this.#acquainted.delete(peer)) onAcquainted()
    }
    const guests = [...this.#sessions.values()].filter(
      ({ member }) => member.vouchedBy === peer || (ticket !== undefined && member.ticket === ticket)
    )
    for (const id of [peer, ...guests.map(({ member }) => member.peer)]) this.#dismiss(id, because)
  }

  #dismiss(peer: DeviceId, because: string): void {
    const { clock } = this.#parts
    const session = this.#sessions.get(peer)
    if (session === undefined) return
    const told = Promise.race([session.control.written(), clock.sleep(LAST_WORD)])
    void told.catch(() => {}).then(() => this.#end(session, because))
  }

  /** No member any more itself: whatever it tried would be refused. */
  #leave(because: string): void {
    this.#dialler.stop()
    const sessions = [...this.#sessions.values()]
    // Where it removed itself, nobody else has the record yet.
    const told = Promise.race([this.written(), this.#parts.clock.sleep(LAST_WORD)])
    void told
      .catch(() => {})
      .then(() => {
        for (const session of sessions) this.#end(session, because)
      })
  }

  #onSilent(peer: DeviceId, silence: Seconds): void {
    this.#watch.changed()
    const session = this.#sessions.get(peer)
    if (session === undefined) return
    const because = `silent for ${silence.toFixed(1)} s`
    session.lose(new NetworkError(`${peer} has left: ${because}`))
    this.#event({ kind: 'left', peer, role: session.member.role, because })
  }

  #onBack(peer: DeviceId): void {
    this.#watch.changed()
    const session = this.#sessions.get(peer)
    if (session === undefined) return
    const { role, incarnation: life } = session.member
    this.#event({ kind: 'joined', peer, role, life })
  }

  #onDead(peer: DeviceId): void {
    const session = this.#sessions.get(peer)
    if (session !== undefined) this.#end(session, 'it was silent for too long')
  }

  #acquaint(peer: DeviceId): void {
    this.#acquainted.delete(peer)
    this.#acquainted.add(peer)
    const [oldest] = this.#acquainted
    if (this.#acquainted.size > MAX_LINKS) this.#acquainted.delete(oldest!)
    this.#parts.onAcquainted()
  }

  /** Where the process is that stays instead of this member, if it is one of twins and the one to go. */
  #insteadOf({ peer, incarnation }: Member, connection: Connection): string | undefined {
    const sighting = { incarnation, address: hostOf(`${connection.remoteAddr}`) }
    const twins = this.#incarnations.note(peer, sighting)
    const stays = this.#incarnations.insteadOf(peer, incarnation)
    if (twins !== undefined) this.#sayTwins(twins)
    else if (stays !== undefined) this.#sayTwins({ peer, stays, goes: sighting }) // it is still there
    return stays?.address
  }

  /** A member left us out: its word for it that somebody else has our identity, and came first. */
  #onTwinStays(address: string): void {
    const stays = { incarnation: 0n, address }
    this.#sayTwins({ peer: this.#parts.self, stays, goes: { incarnation: this.#parts.life, address: 'this device' } })
  }

  #sayTwins(twins: Twins): void {
    const now = this.#parts.clock.now()
    const said = this.#saidOfTwins.get(twins.peer)
    if (said !== undefined && now - said < TWINS_PAUSE) return
    this.#saidOfTwins.set(twins.peer, now)
    this.#parts.onTwins(twins)
  }

  #onRefused(peer: DeviceId, because: string, isFinal: boolean): void {
    if (isFinal) {
      this.#dialler.resent(peer)
      // Of another cluster now: not worth looking for at the next start.
      if (!this.#sessions.has(peer) && this.#acquainted.delete(peer)) this.#parts.onAcquainted()
    }
    this.#event({ kind: 'refused', peer, because })
  }

  /** From mDNS; libp2p also tells of every peer that it hears of for the first time, without an address. */
  #onDiscovery({ id, multiaddrs }: PeerInfo): void {
    if (multiaddrs.length === 0) return
    const peer = deviceId(id.toString())
    // Whoever is on this network may say so.
    if (!this.#parts.budgets.takes('mDNS', 'addresses', 1 + multiaddrs.length)) return
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
      const told = addresses.slice(0, MAX_ADDRESSES)
      // A device of which nothing is new costs as much: it may be dialled again.
      if (!this.#parts.budgets.takes(from, 'addresses', 1 + told.length)) return
      const fresh = peer === from ? this.#dialler.tells(peer, told) : this.#dialler.learn(peer, told)
      if (fresh && this.#acquainted.has(peer)) this.#parts.onAcquainted()
      if (peer !== from) this.#dialler.meet(peer, from)
      else if (fresh) for (const other of this.#sessions.values()) this.#introduce(other, [from])
    }
  }
}

/** "10.0.0.7" of /ip4/10.0.0.7/tcp/6174. */
const hostOf = (address: string): string => address.split('/')[2] ?? address
