import { create, type MessageInitShape } from '@bufbuild/protobuf'
import type { PeerBudgets } from '../../../cluster/peer-budgets.ts'
import type { Clock } from '../../../core/clock.ts'
import type { DeviceId } from '../../../core/ids.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import { UserError } from '../../../core/user-error.ts'
import {
  type Invited,
  type MemberRecords,
  type MembersReply,
  MembersReplySchema,
  type MembersRequest,
  type MembersRequestSchema,
  type Reply,
  ReplySchema,
  RequestSchema,
  type Signed
} from '../../generated/tributary/v1/wire_pb.ts'
import { NetworkError } from '../../ports/network.ts'
import type { Member } from '../admission.ts'
import { createClusterKey } from '../cluster-key.ts'
import type { PeerSession } from '../peer-session.ts'
import type { ClusterRoll, MemberNews } from './cluster-roll.ts'
import type { MemberFacts } from './member-certificate.ts'
import type { KeyRotated, MemberList, MemberRemoved } from './member-report.ts'
import { isReason, REFUSALS, Refusal } from './refusal.ts'
import { ticketKey } from './ticket-key.ts'

export interface MemberDeskParts {
  readonly roll: ClusterRoll
  readonly clock: Clock
  readonly budgets: PeerBudgets
  readonly sessions: () => Iterable<PeerSession>
  /** End all connections to the peer, once what was said to it last is written. @param ticket by which it had come, and nobody is to be here any more */
  readonly expel: (peer: DeviceId, because: string, ticket?: string) => void
  /** This device is no member any more: end all, and try no more. */
  readonly leave: (because: string) => void
  readonly say: (text: string, level?: 'warn') => void
}

/** A device that joins waits at a door for it. */
const CERTIFY_PATIENCE: Seconds = seconds(2)
/** To compare one that is known, in words of `PEER_BUDGETS.words`. */
const WORDS_OF_RECORD = 4
const KNOWN_PATIENCE: Seconds = seconds(2)
/** A list asks the others no more often: anybody may want one, and each costs every device. */
const GATHERED_AGE: Seconds = seconds(1)
/** After the key was changed, for the answer to who asked that. */
const GUESTS_STAY: Seconds = seconds(0.5)

type Ask = NonNullable<MessageInitShape<typeof MembersRequestSchema>['body']>

/** Words about members, between devices that are: what is new goes on to all, and what it means is done here. */
export class MemberDesk {
  readonly #parts: MemberDeskParts
  #isAskingForKey = false
  #gathering: Promise<void> | undefined
  #gatheredAt: Seconds = seconds(Number.NEGATIVE_INFINITY)

  constructor(parts: MemberDeskParts) {
    this.#parts = parts
    parts.roll.watch(news => this.#onNews(news))
  }

  /** A session has begun. */
  greet(session: PeerSession): void {
    const records = this.#parts.roll.records()
    if (records.removals.length + records.uses.length > 0) session.control.send(0n, { case: 'records', value: records })
    void this.#findKey()
  }

  /** @throws Refusal */
  async certify(comes: DeviceId, invited: Invited, { once }: { readonly once: boolean }): Promise<Signed> {
    const { roll } = this.#parts
    const holders = this.#holders()
    // Of invites that are good once one holder decides: of those that hear each other the one with the smallest id.
    const first = holders[0]?.member.peer
    const isMine = roll.mayAdmit && (!once || first === undefined || roll.self < first)
    if (isMine) return roll.certify(comes, invited, roll.self)
    for (const holder of holders.slice(0, once ? 1 : 2)) {
      const reply = await this.#ask(
        holder,
        { case: 'certify', value: { peer: comes, invited } },
        CERTIFY_PATIENCE
      ).catch(() => undefined)
      if (reply?.body.case === 'members' && reply.body.value.body.case === 'certificate')
        return reply.body.value.body.value
      if (reply !== undefined && isReason(reply.error)) throw new Refusal(reply.error)
    }
    throw new Refusal('noHolder')
  }

  onRecords(from: DeviceId, records: MemberRecords): void {
    const { budgets, roll } = this.#parts
    const { removals, uses, rotations, certificates } = records
    const count = removals.length + uses.length + rotations.length + certificates.length
    budgets.spends(from, 'words', WORDS_OF_RECORD * count) // what it says next is read when that is paid for
    if (!budgets.takes(from, 'forgeries')) return
    if (roll.learn(records, () => budgets.takes(from, 'records'))) budgets.givesBack(from, 'forgeries')
  }

  async answer(asker: Member, { body }: MembersRequest): Promise<Reply> {
    try {
      const members = create(MembersReplySchema, { body: await this.#answerTo(asker, body) })
      return create(ReplySchema, { body: { case: 'members', value: members } })
    } catch (error) {
      if (error instanceof Refusal) return create(ReplySchema, { error: error.reason })
      throw error
    }
  }

  async #answerTo(asker: Member, body: MembersRequest['body']): Promise<MembersReply['body']> {
    const { roll } = this.#parts
    switch (body.case) {
      case 'certify': {
        const { peer, invited } = body.value
        if (asker.role !== 'device' || invited === undefined) throw new Refusal('malformed')
        return { case: 'certificate', value: await this.#certifyFor(asker.peer, peer as DeviceId, invited) }
      }
      case 'known':
        if (asker.role !== 'device') throw new NetworkError('only devices ask for all that is known of members')
        return { case: 'known', value: roll.known() }
      case 'list':
        return told(await this.#list())
      case 'remove':
        requireHolder(asker)
        return told(await this.#remove(body.value))
      case 'rotate':
        requireHolder(asker)
        return told(await this.#rotate())
      case 'key': {
        const key = asker.role === 'device' ? roll.keyFor(asker.peer) : undefined
        if (key === undefined) throw new NetworkError('it may not have the key')
        return { case: 'key', value: key }
      }
      default:
        throw new NetworkError('a request about members of no known kind')
    }
  }

  /** @throws Refusal; one that asks for who has no ticket of this cluster is soon not heard */
  async #certifyFor(asker: DeviceId, comes: DeviceId, invited: Invited): Promise<Signed> {
    const { budgets, roll } = this.#parts
    if (!budgets.takes(asker, 'forgeries')) throw new Refusal('noHolder')
    try {
      const certificate = await roll.certify(comes, invited, asker)
      budgets.givesBack(asker, 'forgeries')
      return certificate
    } catch (error) {
      const isForged = error instanceof Refusal && (error.reason === 'malformed' || error.reason === 'otherCluster')
      if (!isForged) budgets.givesBack(asker, 'forgeries')
      throw error
    }
  }

  async #list(): Promise<MemberList> {
    const { roll, clock } = this.#parts
    if (clock.now() - this.#gatheredAt >= GATHERED_AGE) await this.#gather()
    const here = this.#here()
    return {
      answeredBy: roll.self,
      members: roll
        .members()
        .map(({ name, peer, since, mayAdmit }) => ({ name, id: peer, since, mayAdmit, connected: here.has(peer) }))
        .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1)),
      removed: roll.removals().map(({ name, peer, at }) => ({ name, id: peer, at }))
    }
  }

  async #remove(who: string): Promise<MemberRemoved> {
    const { roll } = this.#parts
    await this.#gather()
    const { peer, name, mayAdmit } = this.#memberCalled(who)
    await roll.remove(peer, name)
    return { removed: { name, id: peer }, heldKey: mayAdmit }
  }

  async #rotate(): Promise<KeyRotated> {
    const { roll } = this.#parts
    await this.#gather()
    await roll.rotate(createClusterKey())
    const here = this.#here()
    const nameOf = ({ name, peer }: MemberFacts): string => name || peer
    const members = roll.members()
    return {
      cluster: Buffer.from(roll.cluster).toString('hex').slice(0, 16),
      stay: members.map(nameOf),
      away: members.filter(({ peer }) => !here.has(peer)).map(nameOf)
    }
  }

  /** @throws UserError where it is none, or more than one */
  #memberCalled(who: string): MemberFacts {
    const exact = this.#parts.roll.member(who as DeviceId)
    if (exact !== undefined) return exact
    const found = this.#parts.roll.members().filter(({ name, peer }) => name === who || isIdOf(who, peer))
    const [member, other] = found
    if (member === undefined) throw new UserError(this.#noMember(who), { code: 'noSuchMember' })
    if (other !== undefined)
      throw new UserError(
        `more than one member is called "${who}": ${found.map(({ peer }) => peer).join(', ')}; give the id`,
        {
          code: 'noSuchMember'
        }
      )
    return member
  }

  #noMember(who: string): string {
    const gone = this.#parts.roll.removals().find(({ name, peer }) => name === who || peer === who)
    return gone === undefined
      ? `no member is called "${who}"; tributary member list shows all`
      : `"${who}" (${gone.peer}) is removed already, and no other member is called so`
  }

  #here(): ReadonlySet<DeviceId> {
    const devices = [...this.#parts.sessions()].filter(({ member }) => member.role === 'device')
    return new Set([this.#parts.roll.self, ...devices.map(({ member }) => member.peer)])
  }

  /** Those that are connected and hold the key, by id. */
  #holders(): readonly PeerSession[] {
    const { roll } = this.#parts
    return [...this.#parts.sessions()]
      .filter(({ member }) => member.role === 'device' && roll.member(member.peer)?.mayAdmit === true)
      .toSorted((a, b) => (a.member.peer < b.member.peer ? -1 : 1))
  }

  /** What the others know of members; who does not answer soon is not waited for. Whoever wants it meanwhile waits for the same. */
  #gather(): Promise<void> {
    this.#gathering ??= this.#askAll().finally(() => {
      this.#gathering = undefined
      this.#gatheredAt = this.#parts.clock.now()
    })
    return this.#gathering
  }

  async #askAll(): Promise<void> {
    const devices = [...this.#parts.sessions()].filter(({ member }) => member.role === 'device')
    await Promise.all(
      devices.map(async session => {
        const reply = await this.#ask(session, { case: 'known', value: {} }, KNOWN_PATIENCE).catch(() => undefined)
        if (reply?.body.case === 'members' && reply.body.value.body.case === 'known')
          this.onRecords(session.member.peer, reply.body.value.body.value)
      })
    )
  }

  #ask(session: PeerSession, body: Ask, patience: Seconds): Promise<Reply> {
    return session.request(create(RequestSchema, { body: { case: 'members', value: { body } } }), patience)
  }

  // ---- what is new ----

  #onNews({ records, removed, isRotated }: MemberNews): void {
    const { roll, expel, leave } = this.#parts
    for (const session of this.#parts.sessions()) session.control.send(0n, { case: 'records', value: records })
    for (const { peer, name, ticket } of removed) {
      const who = peer === roll.self ? 'this device' : `${name} (...${peer.slice(-8)})`.trimStart()
      this.#parts.say(`${who} was removed from the cluster`, 'warn')
      if (peer !== roll.self) expel(peer, REFUSALS.removed.said, ticket && ticketKey(ticket))
    }
    if (roll.removed !== undefined) leave(REFUSALS.removed.told)
    if (isRotated) void this.#onRotated().catch(() => {}) // the clock has ended
  }

  /** Whoever told of the new key may have left out others: who has a certificate of it is asked, and stays. */
  async #onRotated(): Promise<void> {
    const { clock, say, roll } = this.#parts
    say("the cluster's key was changed: invites from before are good no more")
    const here = new Set(this.#parts.sessions())
    void this.#findKey()
    await clock.sleep(GUESTS_STAY)
    this.#part(here, ({ role }) => role !== 'device')
    await this.#gather()
    this.#part(here, ({ role, peer }) => role === 'device' && roll.member(peer) === undefined)
  }

  /** Of those that were here when the key was changed. */
  #part(here: ReadonlySet<PeerSession>, isFormer: (member: Member) => boolean): void {
    for (const session of [...this.#parts.sessions()])
      if (here.has(session) && isFormer(session.member)) this.#parts.expel(session.member.peer, REFUSALS.rotated.said)
  }

  /** Of a device that may admit, and has not got the new key: another that has gives it. */
  async #findKey(): Promise<void> {
    const { roll, say } = this.#parts
    if (!roll.lacksKey || this.#isAskingForKey) return
    this.#isAskingForKey = true
    try {
      for (const holder of this.#holders()) {
        const reply = await this.#ask(holder, { case: 'key', value: {} }, KNOWN_PATIENCE).catch(() => undefined)
        if (reply?.body.case !== 'members' || reply.body.value.body.case !== 'key') continue
        if (await roll.takeKey(reply.body.value.body.value)) return say("this device has the cluster's new key")
      }
    } catch {
      // Whoever keeps it has said why it cannot.
    } finally {
      this.#isAskingForKey = false
    }
  }
}

/** The first or the last eight digits, or more. */
const isIdOf = (text: string, peer: DeviceId): boolean =>
  text.length >= 8 && (peer.startsWith(text) || peer.endsWith(text.replace(/^\.\.\./, '')))

const requireHolder = ({ mayAdmit }: Member): void => {
  if (mayAdmit) return
  throw new UserError("only who holds the cluster's key may do that: ask a device that does, or with the key", {
    code: 'mayNotAdmit'
  })
}

const told = (answer: unknown): MembersReply['body'] => ({ case: 'told', value: JSON.stringify(answer) })
