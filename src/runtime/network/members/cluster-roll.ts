import { create, type MessageInitShape } from '@bufbuild/protobuf'
import type { DeviceId } from '../../../core/ids.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import { UserError } from '../../../core/user-error.ts'
import {
  type Invited,
  MemberCertificateSchema,
  type MemberRecords,
  MemberRecordsSchema,
  RemovalSchema,
  type Signed,
  type Standing,
  StandingSchema,
  TicketUseSchema,
  type Vouched
} from '../../generated/tributary/v1/wire_pb.ts'
import type { Role } from '../../ports/network.ts'
import type { ClusterKey } from '../cluster-key.ts'
import { isPeerId } from '../peer-id.ts'
import { plainText } from '../plain-text.ts'
import type { KeptRoll } from './kept-roll.ts'
import { clusterOf, issueCertificate, MAX_NAME, type MemberFacts, readCertificate } from './member-certificate.ts'
import { isPassFor } from './pass.ts'
import { isSame, readBody } from './read-signed.ts'
import { RecordReading } from './record-reading.ts'
import { Refusal } from './refusal.ts'
import { issuedAfter, type Removal, readRemoval, signRemoval } from './removal.ts'
import { latestKey, MAX_ROTATIONS, readRotation, signRotation } from './rotation.ts'
import { publicKeyOf } from './signed.ts'
import {
  createTicket,
  isTicketProof,
  readTicket,
  showTicket,
  type Ticket,
  type TicketFacts,
  type TicketTerms
} from './ticket.ts'
import { ticketKey } from './ticket-key.ts'
import { readUse, signUse, type TicketUse } from './ticket-use.ts'

/** How this process belongs to the cluster. */
export type Footing =
  | { readonly kind: 'holder'; readonly key: ClusterKey }
  | { readonly kind: 'member'; readonly cluster: Uint8Array; readonly certificate: Signed }
  /** Until the ticket has got it a certificate. */
  | { readonly kind: 'invited'; readonly ticket: Ticket }
  /** It comes from a member of this machine. */
  | { readonly kind: 'vouched'; readonly cluster: Uint8Array; readonly vouched: Vouched }

export interface RollParts {
  readonly self: DeviceId
  /** What this device calls itself. */
  readonly name: string
  readonly footing: Footing
  /** Of earlier runs, of the same cluster. */
  readonly kept?: KeptRoll | undefined
  /** Since 1970. */
  readonly wallTime: () => Seconds
  /** Resolves when it would survive the process. @default kept nowhere */
  readonly save?: (kept: KeptRoll) => Promise<void>
}

/** Who wants to come in, and what they show. */
export interface Comer {
  readonly peer: DeviceId
  readonly role: Role
  readonly standing: Standing | undefined
  /** That lead to the key of what is shown. */
  readonly rotations?: readonly Signed[]
  /** At whose door. @default this device's */
  readonly to?: DeviceId
}

export type Assessment =
  /** `vouchedBy`: the member by whose word it comes. `ticket`: of one who only looks or asks, by which it comes. */
  | {
      readonly kind: 'member'
      readonly facts: MemberFacts
      readonly vouchedBy?: DeviceId
      readonly ticket?: string
      /** When that expires, since 1970. */
      readonly ticketUntil?: Seconds
    }
  /** A member that was away when the key was changed: with what makes it one again. */
  | { readonly kind: 'outdated'; readonly facts: MemberFacts; readonly renewal: MemberRecords }
  /** It has seen the key change, and this device has not. */
  | { readonly kind: 'ahead' }
  | { readonly kind: 'invited'; readonly ticket: TicketFacts; readonly invited: Invited }

/** What a device did not know before. */
export interface MemberNews {
  /** To be passed on. */
  readonly records: MemberRecords
  readonly removed: readonly Removal[]
  readonly isRotated: boolean
}

/** Devices that are known as members; none is forgotten for another. */
export const MAX_MEMBERS = 1024
/** That come in by one ticket, at one door. */
const MAX_EACH_MINUTE = 64
/** That came by one ticket and are members still: an invite that has got about leaves room for others. */
const MAX_BY_TICKET = 256
export const MAX_REMOVALS = 1024
const MAX_USES = 1024

type Learned = Record<'rotations' | 'removals' | 'certificates' | 'uses', readonly Signed[]>

interface Entry<F> {
  readonly signed: Signed
  readonly facts: F
}

/** Who is a member of the cluster, by what its key has signed; and how this process shows that it is one. */
export class ClusterRoll {
  readonly self: DeviceId
  readonly #parts: RollParts
  #cluster: Uint8Array
  #key: ClusterKey | undefined
  #certificate: Signed | undefined
  readonly #ticket: Ticket | undefined
  readonly #vouched: Vouched | undefined
  readonly #members = new Map<DeviceId, Entry<MemberFacts>>()
  readonly #removals = new Map<DeviceId, Entry<Removal>>()
  readonly #uses = new Map<string, Entry<TicketUse>>()
  /** Members that came in by each ticket and door, in the last minute. */
  readonly #admitted = new Map<string, { readonly since: Seconds; readonly count: number }>()
  #rotations: readonly Signed[]
  #formerKeys: readonly Uint8Array[]
  #removed: Removal | undefined
  #saving: Promise<void> = Promise.resolve()
  /** A write that has not begun. */
  #waiting: Promise<void> | undefined
  #tell: (news: MemberNews) => void = () => {}

  constructor(parts: RollParts) {
    const { self, footing, kept } = parts
    this.self = self
    this.#parts = parts
    this.#cluster = clusterOfFooting(footing)
    this.#key = footing.kind === 'holder' ? footing.key : undefined
    this.#ticket = footing.kind === 'invited' ? footing.ticket : undefined
    this.#vouched = footing.kind === 'vouched' ? footing.vouched : undefined
    this.#certificate = footing.kind === 'member' ? footing.certificate : undefined
    const isOurs = kept !== undefined && isSame(kept.cluster, this.#cluster)
    this.#rotations = isOurs ? kept.rotations : []
    this.#formerKeys = formerKeysOf(this.#rotations)
    if (isOurs) this.#recall(kept)
    if (footing.kind === 'holder') this.#certifySelf(isOurs ? kept.certificate : undefined)
  }

  /** Hears of all that this device did not know, whoever told it. */
  watch(tell: (news: MemberNews) => void): void {
    this.#tell = tell
  }

  /** The cluster's public key. */
  get cluster(): Uint8Array {
    return this.#cluster
  }

  get mayAdmit(): boolean {
    return this.#key !== undefined
  }

  /** It may, but has not got the key since that was changed. */
  get lacksKey(): boolean {
    return this.#key === undefined && (readCertificate(this.#certificate, this.#cluster)?.mayAdmit ?? false)
  }

  /** It can show others that it is a member, or comes from one. */
  get isIn(): boolean {
    return this.#certificate !== undefined || this.#vouched !== undefined
  }

  /** This device is no member any more. */
  get removed(): Removal | undefined {
    return this.#removed
  }

  get rotations(): readonly Signed[] {
    return this.#rotations
  }

  /** What this process shows at that door. */
  standingFor(to: DeviceId): Standing {
    const { self, name } = this.#parts
    if (this.#certificate !== undefined)
      return create(StandingSchema, { body: { case: 'certificate', value: this.#certificate } })
    if (this.#vouched !== undefined) return create(StandingSchema, { body: { case: 'vouched', value: this.#vouched } })
    const value = showTicket(this.#ticket!, self, to, name)
    return create(StandingSchema, { body: { case: 'invited', value } })
  }

  isRemoved(peer: DeviceId): boolean {
    return this.#removals.has(peer)
  }

  /** Of an invite, on this device's clock. */
  hasExpired(until: Seconds): boolean {
    return until <= this.#parts.wallTime()
  }

  member(peer: DeviceId): MemberFacts | undefined {
    return this.#members.get(peer)?.facts
  }

  /** The only name by which it is heard; undefined: any. */
  boundName(peer: DeviceId): string | undefined {
    const facts = this.member(peer)
    return facts?.isBound === true ? facts.name : undefined
  }

  members(): readonly MemberFacts[] {
    return [...this.#members.values()].map(({ facts }) => facts)
  }

  removals(): readonly Removal[] {
    return [...this.#removals.values()].map(({ facts }) => facts)
  }

  /** What every member is to know; for others, what a device needs that was away. */
  records(): MemberRecords {
    return create(MemberRecordsSchema, {
      removals: [...this.#removals.values()].filter(one => this.#isOfThisKey(one)).map(({ signed }) => signed),
      uses: signedOf(this.#uses)
    })
  }

  /** All that is known of members. */
  known(): MemberRecords {
    return create(MemberRecordsSchema, {
      ...this.records(),
      rotations: [...this.#rotations],
      certificates: signedOf(this.#members)
    })
  }

  // ---- who comes ----

  /** @throws Refusal */
  assess(comer: Comer): Assessment {
    const { peer, standing } = comer
    const removal = this.#removals.get(peer)
    if (removal !== undefined) throw this.#refusal('removed', [removal.signed])
    const body = standing?.body
    if (body?.case === 'certificate') return this.#ofCertificate(comer, body.value)
    if (body?.case === 'vouched') return this.#ofVouched(comer, body.value)
    if (body?.case === 'invited') return this.#ofInvited(comer, body.value)
    throw new Refusal('malformed')
  }

  #ofCertificate({ peer, role, rotations = [] }: Comer, shown: Signed): Assessment {
    const facts = readCertificate(shown, this.#cluster)
    if (facts?.peer === peer) {
      if (role === 'device') this.#meet(shown, facts)
      return { kind: 'member', facts }
    }
    const from = clusterOf(shown)
    if (from !== undefined && this.#formerKeys.some(key => isSame(key, from))) {
      const renewed = this.#members.get(peer)
      if (readCertificate(shown, from)?.peer !== peer || renewed === undefined) throw this.#refusal('rotated')
      const renewal = create(MemberRecordsSchema, {
        rotations: [...this.#rotations],
        certificates: [renewed.signed]
      })
      return { kind: 'outdated', facts: renewed.facts, renewal }
    }
    const ahead = latestKey(this.#cluster, rotations)
    if (!isSame(ahead, this.#cluster) && readCertificate(shown, ahead)?.peer === peer) return { kind: 'ahead' }
    throw new Refusal('otherCluster')
  }

  #ofVouched({ peer, role }: Comer, { certificate, pass }: Vouched): Assessment {
    const by = readCertificate(certificate, this.#cluster)
    if (by === undefined) {
      const from = certificate && clusterOf(certificate)
      const isFormer = from !== undefined && this.#formerKeys.some(key => isSame(key, from))
      throw isFormer ? this.#refusal('rotated') : new Refusal('otherCluster')
    }
    const removal = this.#removals.get(by.peer)
    if (removal !== undefined) throw this.#refusal('removed', [removal.signed])
    if (role === 'device' || !isPassFor(pass, this.#cluster, peer, by.peer)) throw new Refusal('malformed')
    const facts = { peer, name: by.name, since: by.since, mayAdmit: false }
    return { kind: 'member', facts, vouchedBy: by.peer }
  }

  #ofInvited({ peer, role, to = this.self }: Comer, invited: Invited): Assessment {
    const ticket = readTicket(invited.ticket, this.#cluster)
    if (ticket === undefined) {
      const isOld = this.#formerKeys.some(key => readTicket(invited.ticket, key) !== undefined)
      throw isOld ? this.#refusal('oldInvite') : new Refusal('otherCluster')
    }
    if (!isTicketProof(ticket, invited, peer, to)) throw new Refusal('malformed')
    if (this.#isRevoked(ticket, invited.name)) throw new Refusal('revoked')
    // Clocks differ: of a device that joins, the one of who admits it counts.
    const isJudge = this.mayAdmit || role !== 'device'
    if (isJudge && ticket.expires <= this.#parts.wallTime()) throw new Refusal('expired')
    if (role !== 'device') {
      if (ticket.once || ticket.name !== '') throw new Refusal('forDevices')
      const facts = { peer, name: '', since: this.#parts.wallTime(), mayAdmit: false }
      return { kind: 'member', facts, ticket: ticketKey(ticket.id), ticketUntil: ticket.expires }
    }
    if (ticket.name !== '' && ticket.name !== invited.name) throw new Refusal('otherName')
    const use = this.#uses.get(ticketKey(ticket.id))
    if (ticket.once && use !== undefined && use.facts.peer !== peer) throw new Refusal('used')
    return { kind: 'invited', ticket, invited }
  }

  /** By the removal of who came by it, or of one of that name since it was made. */
  #isRevoked({ id, issued }: TicketFacts, name: string): boolean {
    return this.removals().some(
      removal =>
        (removal.ticket !== undefined && isSame(removal.ticket, id)) ||
        (removal.name !== '' && removal.name === name && issued <= removal.at)
    )
  }

  /** Of a member of its machine as of itself. */
  #meet(signed: Signed, facts: MemberFacts): void {
    const isNew = this.#members.get(facts.peer)?.facts.since !== facts.since
    this.#remember(signed, facts)
    if (isNew) this.#saveLater()
  }

  #remember(signed: Signed, facts: MemberFacts): void {
    if (!this.#members.has(facts.peer) && !this.#hasRoomFor(facts.peer)) return
    this.#members.delete(facts.peer)
    this.#members.set(facts.peer, { signed, facts })
  }

  // ---- what holders of the key do ----

  /**
   * A certificate for one who comes with a ticket to `to`; the second time the same, where the ticket is good once.
   * Resolves when that would survive this process. @throws Refusal
   */
  async certify(peer: DeviceId, invited: Invited, to: DeviceId): Promise<Signed> {
    const standing = create(StandingSchema, { body: { case: 'invited', value: invited } })
    const found = this.assess({ peer, role: 'device', standing, to })
    const key = this.#key
    if (found.kind !== 'invited' || key === undefined) throw new Refusal('noHolder')
    const { ticket } = found
    const name = plainText(invited.name, MAX_NAME)
    // A name that is an id would be taken for the device that has it.
    if (!isPeerId(peer) || isPeerId(name)) throw new Refusal('malformed')
    if (!this.#members.has(peer)) this.#makeRoom(ticket, to)
    const uses = ticket.once ? [this.#use(key, ticket, peer)] : []
    const known = this.#members.get(peer)
    const isBound = ticket.name !== ''
    const came = { peer, name, since: this.#parts.wallTime(), mayAdmit: false, ticket: ticket.id, isBound }
    const facts = known?.facts ?? came
    const certificate = known?.signed ?? issueCertificate(key, facts)
    this.#remember(certificate, facts)
    await this.#save()
    if (known === undefined || uses.length > 0) this.#spread({ uses, certificates: [certificate] })
    return certificate
  }

  /** For one more member, by that ticket and at that door. @throws Refusal */
  #makeRoom({ id }: TicketFacts, to: DeviceId): void {
    const alike = this.members().filter(({ ticket }) => ticket !== undefined && isSame(ticket, id))
    if (this.#members.size >= MAX_MEMBERS || alike.length >= MAX_BY_TICKET) throw new Refusal('full')
    const now = this.#parts.wallTime()
    for (const [way, { since }] of this.#admitted) if (Math.abs(now - since) >= 60) this.#admitted.delete(way)
    const way = `${ticketKey(id)} ${to}`
    const { since, count } = this.#admitted.get(way) ?? { since: now, count: 0 }
    if (count >= MAX_EACH_MINUTE) throw new Refusal('noHolder')
    this.#admitted.set(way, { since, count: count + 1 })
  }

  #use(key: ClusterKey, { id, expires }: TicketFacts, peer: DeviceId): Signed {
    const now = this.#parts.wallTime()
    for (const [ticket, { facts }] of this.#uses) if (facts.expires <= now) this.#uses.delete(ticket)
    if (this.#uses.size >= MAX_USES) throw new Refusal('noHolder')
    const facts = { ticket: id, peer, expires }
    const signed = signUse(key, facts)
    this.#uses.set(ticketKey(id), { signed, facts })
    return signed
  }

  /**
   * @param revokes the ticket by which it came is good for nobody from then on @default true
   * @throws UserError where this device does not hold the key, or too many are removed
   */
  async remove(peer: DeviceId, name: string, { revokes = true }: { readonly revokes?: boolean } = {}): Promise<void> {
    const key = this.#requireKey()
    if (this.#removals.size >= MAX_REMOVALS)
      throw new UserError(`${MAX_REMOVALS} members are removed already: change the key, which forgets them`, {
        code: 'tooMany'
      })
    if (peer === this.self && !this.members().some(member => member.mayAdmit && member.peer !== peer))
      throw new UserError("no other device holds the cluster's key: first give it to another, by an open invite", {
        code: 'lastHolder'
      })
    const ticket = revokes ? this.member(peer)?.ticket : undefined
    const facts = { peer, name, at: this.#parts.wallTime(), ...(ticket === undefined ? {} : { ticket }) }
    const removal = { signed: signRemoval(key, facts), facts }
    await this.#saveFirst(
      () => ({ ...this.#kept(), removals: [...signedOf(this.#removals), removal.signed] }),
      () => this.#expel(removal)
    )
    this.#spread({ removals: [removal.signed] }, { removed: [facts] })
  }

  /** What an invite is to hold. @throws UserError where this device does not hold the key */
  ticket(terms: Pick<TicketTerms, 'name' | 'once'> & { readonly lasts: Seconds }): Ticket {
    const { name, once, lasts } = terms
    const issued = issuedAfter(this.removals(), this.#parts.wallTime())
    return createTicket(this.#requireKey(), { name, once, issued, expires: seconds(this.#parts.wallTime() + lasts) })
  }

  /**
   * The cluster gets another key, and all members certificates of it. Who was removed has none: that is as good as a removal, which is
   * forgotten. Where the key cannot be kept, all stays as it was. @throws UserError
   */
  async rotate(next: ClusterKey): Promise<void> {
    const key = this.#requireKey()
    const rotation = signRotation(key, next, this.#parts.wallTime())
    const reissued = () => ({
      rotations: [rotation],
      certificates: this.members().map(facts => issueCertificate(next, facts))
    })
    const cluster = publicKeyOf(next)
    let given = reissued()
    await this.#saveFirst(
      () => {
        // Another change of the key may have come first.
        if (this.#key !== key) throw new UserError("the cluster's key has just been changed", { code: 'mayNotAdmit' })
        given = reissued()
        const certificate = given.certificates.find(signed => readCertificate(signed, cluster)?.peer === this.self)
        const rotations = [...this.#rotations, rotation].slice(-MAX_ROTATIONS)
        return { cluster, key: next, certificate, ...given, removals: [], uses: [], rotations }
      },
      () => {
        if (this.#key !== key) throw new UserError("the cluster's key has just been changed", { code: 'mayNotAdmit' })
        // Who came meanwhile stays as well.
        given = reissued()
        this.#adopt(given, cluster, next)
      }
    )
    this.#saveLater()
    this.#spread({ ...given, rotations: [...this.#rotations] }, { isRotated: true })
  }

  /** For a member that may admit, and was away when the key was changed. */
  keyFor(peer: DeviceId): ClusterKey | undefined {
    return this.member(peer)?.mayAdmit === true && !this.isRemoved(peer) ? this.#key : undefined
  }

  #requireKey(): ClusterKey {
    if (this.#key !== undefined) return this.#key
    const holders = this.members().filter(({ mayAdmit }) => mayAdmit)
    throw new UserError(
      `this device does not hold the cluster's key; ask one that does${holders.length === 0 ? '' : `: ${holders.map(({ name, peer }) => name || peer).join(', ')}`}`,
      { code: 'mayNotAdmit' }
    )
  }

  // ---- what others tell ----

  /** The certificate that a ticket has got this device. @returns false where it is none */
  async accept(certificate: Signed | undefined): Promise<boolean> {
    const facts = readCertificate(certificate, this.#cluster)
    if (certificate === undefined || facts?.peer !== this.self) return false
    this.#certificate = certificate
    this.#remember(certificate, facts)
    await this.#save()
    return true
  }

  /** The cluster's new key. @returns false where it is not */
  async takeKey(key: ClusterKey): Promise<boolean> {
    if (!this.lacksKey || key.length !== this.#cluster.length || !isSame(publicKeyOf(key), this.#cluster)) return false
    this.#key = key
    // Removals that the former key signed while this one was made: nobody else may know of them.
    const stale = [...this.#removals.values()].filter(one => !this.#isOfThisKey(one))
    const removals = stale.map(({ facts }) => {
      const signed = signRemoval(key, facts)
      this.#expel({ signed, facts })
      return signed
    })
    await this.#save()
    if (removals.length > 0) this.#spread({ removals })
    return true
  }

  /**
   * Whoever tells it: only what the cluster's key has signed counts.
   * @param mayVerify asked before each signature is verified @returns false where something was forged; the rest of it is not read
   */
  learn(records: MemberRecords, mayVerify?: () => boolean): boolean {
    const reading = new RecordReading(mayVerify)
    const rotations = this.#learnRotations(records)
    const removals = this.#learnRemovals(records.removals, reading)
    const certificates = this.#learnCertificates(records.certificates, reading)
    const uses = this.#learnUses(records.uses, reading)
    if ([rotations, removals, certificates, uses].some(({ length }) => length > 0))
      this.#learned({ rotations, removals, certificates, uses })
    return !reading.isForged
  }

  #learned({ rotations, removals, certificates, uses }: Learned): void {
    this.#saveLater()
    const isRotated = rotations.length > 0
    const known = isRotated ? signedOf(this.#members) : [...certificates]
    const removed = removals.flatMap(signed => readRemoval(signed, this.#cluster) ?? [])
    this.#spread(
      { rotations: [...rotations], removals: [...removals], certificates: known, uses: [...uses] },
      { removed, isRotated }
    )
  }

  #spread(
    records: MessageInitShape<typeof MemberRecordsSchema>,
    { removed = [], isRotated = false }: Partial<MemberNews> = {}
  ): void {
    this.#tell({ records: create(MemberRecordsSchema, records), removed, isRotated })
  }

  /** Whether the proof shows that this device is none of the members any more. */
  believesRemoval({ removals, rotations }: MemberRecords): boolean {
    const [signed] = removals
    if (signed === undefined) return false
    const keys = [this.#cluster, latestKey(this.#cluster, rotations)]
    const removal = keys.map(key => readRemoval(signed, key)).find(found => found?.peer === this.self)
    const voucher = this.#vouched && readCertificate(this.#vouched.certificate, this.#cluster)?.peer
    const isVouchers = keys.some(key => readRemoval(signed, key)?.peer === voucher)
    if (removal !== undefined) {
      this.#expel({ signed, facts: removal })
      this.#saveLater()
      this.#spread({}, { removed: [removal] })
    }
    return removal !== undefined || (voucher !== undefined && isVouchers)
  }

  #learnRotations({ rotations, certificates }: MemberRecords): readonly Signed[] {
    const next = latestKey(this.#cluster, rotations)
    if (isSame(next, this.#cluster) || !this.isIn || this.#vouched !== undefined) return []
    // One who leaves it out, so that this device thinks itself left out, is not heard.
    const own = certificates.find(signed => readBody(signed, MemberCertificateSchema)?.peer === this.self)
    if (readCertificate(own, next)?.peer !== this.self) return []
    return this.#adopt({ rotations, certificates }, next, undefined)
  }

  #adopt(
    { rotations, certificates }: Pick<MemberRecords, 'rotations' | 'certificates'>,
    next: Uint8Array,
    key: ClusterKey | undefined
  ): readonly Signed[] {
    const from = this.#cluster
    const first = rotations.findIndex(signed => isSame(readRotation(signed)?.from ?? NONE, from))
    this.#rotations = [...this.#rotations, ...rotations.slice(first)].slice(-MAX_ROTATIONS)
    this.#formerKeys = formerKeysOf(this.#rotations)
    this.#cluster = next
    this.#key = key
    this.#members.clear()
    this.#forgetRemovals(certificates)
    this.#learnCertificates(certificates)
    this.#certificate = this.#members.get(this.self)?.signed
    this.#uses.clear()
    return this.#rotations
  }

  /** But of whom who made the key had not heard that it was removed: such a one has a certificate of it. */
  #forgetRemovals(certificates: readonly Signed[]): void {
    const stay = new Set(certificates.map(signed => readBody(signed, MemberCertificateSchema)?.peer))
    for (const peer of this.#removals.keys()) if (!stay.has(peer)) this.#removals.delete(peer)
  }

  #learnRemovals(removals: readonly Signed[], reading = new RecordReading()): readonly Signed[] {
    return reading.take(removals.slice(0, MAX_REMOVALS), {
      schema: RemovalSchema,
      key: this.#cluster,
      isNews: ({ peer }) => {
        const known = this.#removals.get(peer as DeviceId)
        // Of one that the former key has signed, others can make nothing any more.
        return known === undefined ? this.#removals.size < MAX_REMOVALS : !this.#isOfThisKey(known)
      },
      take: signed => {
        const facts = readRemoval(signed, this.#cluster)
        if (facts === undefined) return 'forged'
        this.#expel({ signed, facts })
        return true
      }
    })
  }

  /** It was verified when it came. */
  #isOfThisKey({ signed }: Entry<Removal>): boolean {
    const said = readBody(signed, RemovalSchema)
    return said !== undefined && isSame(said.cluster, this.#cluster)
  }

  #expel(removal: Entry<Removal>): void {
    const { peer } = removal.facts
    this.#removals.set(peer, removal)
    this.#members.delete(peer)
    if (peer === this.self) this.#removed = removal.facts
  }

  #learnCertificates(certificates: readonly Signed[], reading = new RecordReading()): readonly Signed[] {
    return reading.take(certificates.slice(0, MAX_MEMBERS), {
      schema: MemberCertificateSchema,
      key: this.#cluster,
      isNews: said => {
        const peer = said.peer as DeviceId
        return !this.#removals.has(peer) && !this.#members.has(peer) && this.#hasRoomFor(peer)
      },
      take: signed => {
        const facts = readCertificate(signed, this.#cluster)
        if (facts === undefined) return 'forged'
        this.#remember(signed, facts)
        return true
      }
    })
  }

  #learnUses(uses: readonly Signed[], reading = new RecordReading()): readonly Signed[] {
    return reading.take(uses.slice(0, MAX_USES), {
      schema: TicketUseSchema,
      key: this.#cluster,
      isNews: ({ ticket, peer }) => {
        const known = this.#uses.get(ticketKey(ticket))?.facts.peer
        if (known === undefined) return this.#uses.size < MAX_USES
        return peer < known || (peer > known && this.mayAdmit && !this.#removals.has(peer as DeviceId))
      },
      take: signed => {
        const facts = readUse(signed, this.#cluster)
        return facts === undefined ? 'forged' : this.#learnUse({ signed, facts })
      }
    })
  }

  /** @returns whether it is the one that counts */
  #learnUse(use: Entry<TicketUse>): boolean {
    const { ticket, peer } = use.facts
    const known = this.#uses.get(ticketKey(ticket))?.facts.peer
    const isFirst = known === undefined || peer < known
    if (isFirst) this.#uses.set(ticketKey(ticket), use)
    if (known !== undefined) this.#undo(isFirst ? known : peer)
    return isFirst
  }

  #hasRoomFor(peer: DeviceId): boolean {
    return peer === this.self || this.#members.size < MAX_MEMBERS
  }

  /** Two holders let one in each by a ticket that is good once: everywhere the smaller id stays. */
  #undo(peer: DeviceId): void {
    if (!this.mayAdmit || this.#removals.has(peer)) return
    // Where that cannot be kept, whoever keeps it has said so.
    // The ticket stays good for the other one, who may ask again.
    void this.remove(peer, '', { revokes: false }).catch(() => {})
  }

  // ---- what is kept ----

  #refusal(reason: 'removed' | 'rotated' | 'oldInvite', removals: readonly Signed[] = []): Refusal {
    const proof = create(MemberRecordsSchema, { removals: [...removals], rotations: [...this.#rotations] })
    return new Refusal(reason, proof)
  }

  #certifySelf(before: Signed | undefined): void {
    const { self, name, wallTime } = this.#parts
    const known = readCertificate(before, this.#cluster)
    const isGood = known?.peer === self && known.mayAdmit && known.name === name
    const facts = isGood ? known : { peer: self, name, since: known?.since ?? wallTime(), mayAdmit: true }
    this.#certificate = isGood ? before! : issueCertificate(this.#key!, facts)
    this.#remember(this.#certificate, facts)
    if (!isGood) this.#saveLater()
  }

  #recall({ removals, certificates, uses }: KeptRoll): void {
    const keys = [this.#cluster, ...this.#formerKeys]
    for (const signed of removals) {
      const facts = keys.map(key => readRemoval(signed, key)).find(found => found !== undefined)
      if (facts !== undefined) this.#expel({ signed, facts })
    }
    this.#learnCertificates(certificates)
    this.#learnUses(uses)
  }

  #kept(): KeptRoll {
    return {
      cluster: this.#cluster,
      key: this.#key,
      certificate: this.#certificate,
      certificates: signedOf(this.#members),
      removals: signedOf(this.#removals),
      uses: signedOf(this.#uses),
      rotations: this.#rotations
    }
  }

  /** Resolves when the newest is kept; one write at a time, and one for all that wait for it to begin. */
  #save(): Promise<void> {
    const { save } = this.#parts
    if (save === undefined) return Promise.resolve()
    if (this.#waiting !== undefined) return this.#waiting
    const saved = this.#saving.then(() => {
      this.#waiting = undefined
      return save(this.#kept())
    })
    this.#waiting = saved
    this.#saving = saved.catch(() => {})
    return saved
  }

  /** What is not kept does not come to be. */
  #saveFirst(kept: () => KeptRoll, apply: () => void): Promise<void> {
    const saved = this.#saving.then(async () => {
      await this.#parts.save?.(kept())
      apply()
    })
    this.#waiting = undefined
    this.#saving = saved.catch(() => {})
    return saved
  }

  /** Where that fails, whoever saves has said it. */
  #saveLater(): void {
    this.#save().catch(() => {})
  }

  /** Resolves when all that is to be kept is. */
  saved(): Promise<void> {
    return this.#saving
  }
}

const NONE = new Uint8Array()

const formerKeysOf = (rotations: readonly Signed[]): readonly Uint8Array[] =>
  rotations.flatMap(signed => readRotation(signed)?.from ?? [])

const signedOf = <F>(entries: ReadonlyMap<unknown, Entry<F>>): Signed[] =>
  [...entries.values()].map(({ signed }) => signed)

const clusterOfFooting = (footing: Footing): Uint8Array => {
  switch (footing.kind) {
    case 'holder':
      return publicKeyOf(footing.key)
    case 'invited':
      return footing.ticket.cluster
    default:
      return footing.cluster
  }
}
