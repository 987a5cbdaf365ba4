import { create } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { DeviceId } from '../../../core/ids.ts'
import { seconds } from '../../../core/units.ts'
import {
  type Invited,
  type MemberRecords,
  MemberRecordsSchema,
  type Signed,
  type Standing,
  StandingSchema
} from '../../generated/tributary/v1/wire_pb.ts'
import { createClusterKey } from '../cluster-key.ts'
import { createIdentity, type Identity, peerIdOf } from '../identity.ts'
import { ClusterRoll, type Footing, MAX_MEMBERS } from './cluster-roll.ts'
import type { KeptRoll } from './kept-roll.ts'
import { issueCertificate, readCertificate } from './member-certificate.ts'
import { signPass } from './pass.ts'
import { isSame } from './read-signed.ts'
import type { Reason } from './refusal.ts'
import { publicKeyOf } from './signed.ts'
import { createTicket, showTicket, type Ticket } from './ticket.ts'

let identities: Identity[]
let ids: DeviceId[]
beforeAll(async () => {
  identities = await Promise.all(Array.from({ length: 5 }, () => createIdentity()))
  ids = identities.map(peerIdOf)
})

let now = seconds(1000)
const wallTime = () => now
const key = createClusterKey()
const holder = (index = 0, own = key, kept?: KeptRoll) =>
  new ClusterRoll({ self: ids[index]!, name: `d${index}`, footing: { kind: 'holder', key: own }, wallTime, kept })
const at = (index: number, footing: Footing, kept?: KeptRoll) =>
  new ClusterRoll({ self: ids[index]!, name: `d${index}`, footing, wallTime, kept })

const ticketOf = (roll: ClusterRoll, { name = '', once = false, lasts = 60 } = {}): Ticket =>
  roll.ticket({ name, once, lasts: seconds(lasts) })
const shown = (ticket: Ticket, comes: number, to: number, name = `d${comes}`): Invited =>
  showTicket(ticket, ids[comes]!, ids[to]!, name)
const asStanding = (invited: Invited): Standing => create(StandingSchema, { body: { case: 'invited', value: invited } })
const certified = (certificate: Signed): Standing =>
  create(StandingSchema, { body: { case: 'certificate', value: certificate } })
const isRefused = (work: () => unknown, reason: Reason): void =>
  expect(work).toThrow(expect.objectContaining({ name: 'Refusal', reason }))

/** A member by a ticket of `by`. */
const joined = async (by: ClusterRoll, index: number): Promise<ClusterRoll> => {
  const ticket = ticketOf(by)
  const roll = at(index, { kind: 'invited', ticket })
  const to = ids.indexOf(by.self)
  expect(await roll.accept(await by.certify(ids[index]!, shown(ticket, index, to), by.self))).toBe(true)
  return roll
}

const comes = (roll: ClusterRoll, to: ClusterRoll, role: 'device' | 'observer' = 'device') => ({
  ...{ peer: roll.self, role, standing: roll.standingFor(to.self), rotations: roll.rotations }
})

describe('a certificate', () => {
  it('makes its device a member, and nobody else', async () => {
    const a = holder()
    const b = await joined(a, 1)
    expect(a.assess(comes(b, a))).toMatchObject({
      kind: 'member',
      facts: { peer: ids[1], name: 'd1', mayAdmit: false }
    })
    expect(b.assess(comes(a, b))).toMatchObject({ kind: 'member', facts: { peer: ids[0], mayAdmit: true } })
    isRefused(() => a.assess({ ...comes(b, a), peer: ids[2]! }), 'otherCluster')
  })

  it('of another key, or with one byte changed, is none', async () => {
    const a = holder()
    const facts = { peer: ids[1]!, name: 'd1', since: seconds(1), mayAdmit: true }
    const foreign = issueCertificate(createClusterKey(), facts)
    isRefused(() => a.assess({ peer: ids[1]!, role: 'device', standing: certified(foreign) }), 'otherCluster')
    const good = issueCertificate(key, facts)
    expect(readCertificate(good, a.cluster)).toEqual(facts)
    fc.assert(
      fc.property(fc.nat(good.body.length + good.signature.length - 1), fc.integer({ min: 1, max: 255 }), (n, x) => {
        const [body, signature] = [Uint8Array.from(good.body), Uint8Array.from(good.signature)]
        const [bytes, i] = n < body.length ? [body, n] : [signature, n - body.length]
        bytes[i] = bytes[i]! ^ x
        expect(readCertificate({ ...good, body, signature }, a.cluster)).toBeUndefined()
      })
    )
  })

  it('is not made of a signature for something else', async () => {
    const a = holder()
    const ticket = ticketOf(a)
    isRefused(() => a.assess({ peer: ids[1]!, role: 'device', standing: certified(ticket.signed) }), 'otherCluster')
  })
})

describe('a ticket', () => {
  it('lets in until it expires, on the clock of who admits, and by no other name than it is for', async () => {
    const a = holder()
    const b = await joined(a, 1)
    const ticket = ticketOf(a, { name: 'd2', lasts: 10 })
    const door = (to: ClusterRoll, comes: number, name?: string) => () =>
      to.assess({
        peer: ids[comes]!,
        role: 'device',
        standing: asStanding(shown(ticket, comes, ids.indexOf(to.self), name))
      })
    expect(door(a, 2)()).toMatchObject({ kind: 'invited' })
    isRefused(door(a, 3), 'otherName')
    const before = now
    now = seconds(now + 11)
    isRefused(door(a, 2), 'expired')
    expect(door(b, 2)()).toMatchObject({ kind: 'invited' }) // it asks who may admit
    now = before
  })

  it('for a name binds who comes by it to that, everywhere and after the key was changed; one for any binds nobody', async () => {
    const a = holder()
    const b = await joined(a, 1)
    const named = ticketOf(a, { name: 'd2' })
    await a.certify(ids[2]!, shown(named, 2, 0), a.self)
    b.learn(a.known())
    const bound = () => [a, b].map(roll => ids.map(id => roll.boundName(id)))
    expect(bound()).toEqual([0, 1].map(() => [undefined, undefined, 'd2', undefined, undefined]))
    await a.rotate(createClusterKey())
    b.learn(a.known())
    expect([isSame(a.cluster, b.cluster), bound()]).toEqual([
      true,
      [0, 1].map(() => [undefined, undefined, 'd2', undefined, undefined])
    ])
  })

  it('proves nothing at another door, for another peer, by another name, or without its secret', () => {
    const a = holder()
    const ticket = ticketOf(a)
    const good = shown(ticket, 1, 0)
    const knock = (peer: number, invited: Invited) => () =>
      a.assess({ peer: ids[peer]!, role: 'device', standing: asStanding(invited) })
    expect(knock(1, good)()).toMatchObject({ kind: 'invited' })
    isRefused(knock(2, good), 'malformed')
    isRefused(knock(1, shown(ticket, 1, 2)), 'malformed')
    isRefused(knock(1, { ...good, name: 'other' }), 'malformed')
    isRefused(knock(1, shown({ ...ticket, secret: createClusterKey() }, 1, 0)), 'malformed')
    isRefused(
      knock(
        1,
        shown(
          createTicket(createClusterKey(), { name: '', once: false, expires: seconds(9e9), issued: seconds(0) }),
          1,
          0
        )
      ),
      'otherCluster'
    )
  })

  it('that is good once admits one device, also after a restart and at another holder that has heard of it', async () => {
    let kept: KeptRoll | undefined
    const save = async (latest: KeptRoll): Promise<void> => {
      kept = latest
    }
    const a = new ClusterRoll({ self: ids[0]!, name: 'd0', footing: { kind: 'holder', key }, wallTime, save })
    const other = holder(4)
    a.watch(({ records }) => other.learn(records))
    const ticket = ticketOf(a, { once: true })
    await a.certify(ids[1]!, shown(ticket, 1, 0), ids[0]!)
    await a.certify(ids[1]!, shown(ticket, 1, 0), ids[0]!) // its answer may have been lost
    const again = holder(0, key, kept)
    for (const roll of [a, again, other]) {
      const index = ids.indexOf(roll.self)
      await expect(roll.certify(ids[2]!, shown(ticket, 2, index), roll.self)).rejects.toMatchObject({ reason: 'used' })
    }
  })

  it('that is good once and was used at two holders at once lets in the smaller id alone', async () => {
    const [a, other] = [holder(), holder(4)]
    a.learn(other.known())
    other.learn(a.known())
    const ticket = ticketOf(a, { once: true })
    const heard: [ClusterRoll, MemberRecords][] = []
    a.watch(({ records }) => heard.push([other, records]))
    other.watch(({ records }) => heard.push([a, records]))
    await Promise.all([
      a.certify(ids[1]!, shown(ticket, 1, 0), a.self),
      other.certify(ids[2]!, shown(ticket, 2, 4), other.self)
    ])
    const [stays, goes] = [ids[1]!, ids[2]!].toSorted()
    for (const [roll, records] of heard) roll.learn(records)
    for (const roll of [a, other]) {
      await expect.poll(() => roll.isRemoved(goes!)).toBe(true)
      expect([roll.isRemoved(stays!), roll.member(stays!)?.peer]).toEqual([false, stays])
    }
  })

  it('for one device lets nobody look', () => {
    const a = holder()
    const look = (ticket: Ticket) => () =>
      a.assess({ peer: ids[1]!, role: 'observer', standing: asStanding(shown(ticket, 1, 0)) })
    expect(look(ticketOf(a))()).toMatchObject({ kind: 'member', facts: { mayAdmit: false } })
    isRefused(look(ticketOf(a, { once: true })), 'forDevices')
    isRefused(look(ticketOf(a, { name: 'd1' })), 'forDevices')
  })

  it('that could not be kept as used admits nobody', async () => {
    const save = () => Promise.reject(new Error('the disk is full'))
    const a = new ClusterRoll({ self: ids[0]!, name: 'd0', footing: { kind: 'holder', key }, wallTime, save })
    await expect(a.certify(ids[1]!, shown(ticketOf(a, { once: true }), 1, 0), ids[0]!)).rejects.toThrow(/full/)
  })
})

describe("a member's word", () => {
  it('lets one look who comes from it, and be no device', async () => {
    const a = holder()
    const b = await joined(a, 1)
    const [certificate] = [b.standingFor(a.self).body.value as Signed]
    const pass = await signPass(a.cluster, ids[3]!, b.self, identities[1]!)
    const come =
      (peer: DeviceId, role: 'device' | 'observer', by = pass) =>
      () =>
        a.assess({
          ...{ peer, role },
          standing: create(StandingSchema, { body: { case: 'vouched', value: { certificate, pass: by } } })
        })
    expect(come(ids[3]!, 'observer')()).toMatchObject({ kind: 'member', facts: { mayAdmit: false } })
    isRefused(come(ids[3]!, 'device'), 'malformed')
    isRefused(come(ids[2]!, 'observer'), 'malformed')
    isRefused(come(ids[3]!, 'observer', await signPass(a.cluster, ids[3]!, b.self, identities[2]!)), 'malformed')
    await a.remove(b.self, 'd1')
    isRefused(come(ids[3]!, 'observer'), 'removed')
  })
})

describe('a removal', () => {
  it('counts everywhere, also after a restart, and for the removed one itself', async () => {
    const a = holder()
    const b = await joined(a, 1)
    const c = await joined(a, 2)
    c.learn(a.known())
    const heard: string[] = []
    c.watch(({ removed }) => heard.push(...removed.map(({ name }) => name)))
    await a.remove(b.self, 'd1')
    c.learn(a.records())
    c.learn(a.records())
    expect(heard).toEqual(['d1'])
    for (const roll of [a, c]) isRefused(() => roll.assess(comes(b, roll)), 'removed')
    await expect(joined(a, 1)).rejects.toMatchObject({ reason: 'removed' })
    b.learn(a.records())
    expect(b.removed?.peer).toBe(b.self)
  })

  it("is believed of the cluster's key only", async () => {
    const a = holder()
    const b = await joined(a, 1)
    const evil = holder(3, createClusterKey())
    await evil.remove(b.self, 'd1')
    a.learn(evil.records())
    b.learn(evil.records())
    expect([a.isRemoved(b.self), b.removed, b.believesRemoval(evil.known())]).toEqual([false, undefined, false])
    const records = create(MemberRecordsSchema, { removals: [ticketOf(a).signed] })
    b.learn(records)
    expect(b.removed).toBeUndefined()
    await expect(b.remove(a.self, 'd0')).rejects.toMatchObject({ code: 'mayNotAdmit' })
  })
})

describe('a change of the key', () => {
  it('keeps members, gives holders the key, and ends invites, keys and removed ones', async () => {
    const a = holder()
    const b = await joined(a, 1)
    const second = holder(3)
    const out = await joined(a, 2)
    a.assess(comes(second, a))
    await a.remove(out.self, 'd2')
    const ticket = ticketOf(a)
    const next = createClusterKey()
    const wasKnown = a.members().length
    await a.rotate(next)
    expect([a.cluster, a.mayAdmit, a.members().length]).toEqual([publicKeyOf(next), true, wasKnown])
    for (const roll of [b, second]) roll.learn(a.known())
    expect([b.cluster, second.cluster]).toEqual([a.cluster, a.cluster])
    expect(a.assess(comes(b, a))).toMatchObject({ kind: 'member', facts: { name: 'd1' } })
    expect([second.lacksKey, second.mayAdmit, b.lacksKey, a.keyFor(b.self)]).toEqual([true, false, false, undefined])
    expect(await second.takeKey(createClusterKey())).toBe(false)
    expect(await second.takeKey(a.keyFor(second.self)!)).toBe(true)
    expect(second.mayAdmit).toBe(true)
    isRefused(() => a.assess({ peer: ids[4]!, role: 'device', standing: asStanding(shown(ticket, 4, 0)) }), 'oldInvite')
    const leaked = holder(4)
    isRefused(() => a.assess(comes(leaked, a)), 'rotated')
    for (const roll of [a, b, second]) {
      expect([roll.removals(), roll.member(out.self)]).toEqual([[], undefined])
      isRefused(() => roll.assess(comes(out, roll)), 'rotated')
    }
    out.learn(a.known())
    expect(out.cluster).not.toEqual(a.cluster)
  })

  it('reaches who was away, from whichever side is behind', async () => {
    const a = holder()
    const [b, c] = [await joined(a, 1), await joined(a, 2)]
    await a.rotate(createClusterKey())
    await a.rotate(createClusterKey())
    const found = a.assess(comes(b, a))
    expect(found).toMatchObject({ kind: 'outdated', facts: { name: 'd1' } })
    expect(c.assess(comes(a, c))).toEqual({ kind: 'ahead' })
    if (found.kind === 'outdated') b.learn(found.renewal)
    expect(a.assess(comes(b, a))).toMatchObject({ kind: 'member' })
    expect(b.assess(comes(a, b))).toMatchObject({ kind: 'member' })
  })

  it('is not believed of a stranger, nor where this device is left out of it', async () => {
    const a = holder()
    const b = await joined(a, 1)
    const before = b.cluster
    const evil = holder(3, createClusterKey())
    await evil.rotate(createClusterKey())
    b.learn(evil.known())
    await a.rotate(createClusterKey())
    const { certificates, rotations } = a.known()
    b.learn(
      create(MemberRecordsSchema, {
        rotations,
        certificates: certificates.filter(c => readCertificate(c, a.cluster)?.peer !== b.self)
      })
    )
    expect(b.cluster).toEqual(before)
  })

  it('once made is not made again by the former key', async () => {
    const a = holder()
    const [b, thief] = [await joined(a, 1), holder(3)]
    thief.learn(a.known())
    await a.rotate(createClusterKey())
    b.learn(a.known())
    await thief.rotate(createClusterKey())
    b.learn(thief.known())
    expect(b.cluster).toEqual(a.cluster)
  })

  it('is known after a restart, and who was removed stays out without being remembered', async () => {
    let kept: KeptRoll | undefined
    const save = async (latest: KeptRoll): Promise<void> => {
      kept = latest
    }
    const a = new ClusterRoll({ self: ids[0]!, name: 'd0', footing: { kind: 'holder', key }, wallTime, save })
    const [b, out] = [await joined(a, 1), await joined(a, 2)]
    await a.remove(out.self, 'd2')
    await a.rotate(createClusterKey())
    const again = holder(0, kept!.key!, kept)
    expect(again.assess(comes(b, again))).toMatchObject({ kind: 'outdated' })
    isRefused(() => again.assess(comes(out, again)), 'rotated')
    expect(kept!.removals).toEqual([])
  })

  it('makes room for other removals, and ends with the connection what a member believed that was away', async () => {
    const a = holder()
    const [away, out] = [await joined(a, 1), await joined(a, 2)]
    expect(away.assess(comes(out, away))).toMatchObject({ kind: 'member' })
    await a.remove(out.self, 'd2')
    await a.rotate(createClusterKey())
    away.learn(a.known())
    expect([away.cluster, away.member(out.self)]).toEqual([a.cluster, undefined])
    isRefused(() => away.assess(comes(out, away)), 'rotated')
  })
})

describe('a disk that is full', () => {
  const onDisk = (isFull: () => boolean) =>
    new ClusterRoll({
      ...{ self: ids[0]!, name: 'd0', footing: { kind: 'holder', key }, wallTime },
      save: async () => {
        if (isFull()) throw new Error('the disk is full')
      }
    })

  it('leaves the key, the members and who was removed as they were, and nobody hears of it', async () => {
    let isFull = false
    const a = onDisk(() => isFull)
    const b = await joined(a, 1)
    let told = 0
    a.watch(() => told++)
    isFull = true
    await expect(a.rotate(createClusterKey())).rejects.toThrow(/full/)
    await expect(a.remove(b.self, 'd1')).rejects.toThrow(/full/)
    expect([a.cluster, a.mayAdmit, a.isRemoved(b.self), told]).toEqual([publicKeyOf(key), true, false, 0])
    expect(a.assess(comes(b, a))).toMatchObject({ kind: 'member' })
    isFull = false
    await a.rotate(createClusterKey())
    b.learn(a.known())
    expect([b.cluster, told]).toEqual([a.cluster, 1])
  })
})

describe('a holder of the key', () => {
  it('does not remove itself where no other holds it', async () => {
    const a = holder()
    await joined(a, 1)
    await expect(a.remove(a.self, 'd0')).rejects.toMatchObject({ code: 'lastHolder' })
    a.learn(holder(3).known())
    await a.remove(a.self, 'd0')
    expect(a.removed?.peer).toBe(a.self)
  })

  it('certifies peers by a plain name that is no id, and no more than so many a minute by one ticket', async () => {
    const a = holder()
    const ticket = ticketOf(a)
    const asked = (peer: string, name: string) =>
      a.certify(peer as DeviceId, showTicket(ticket, peer as DeviceId, ids[1]!, name), ids[1]!)
    await expect(asked('not an id', 'x')).rejects.toMatchObject({ reason: 'malformed' })
    await expect(asked(ids[2]!, ids[3]!)).rejects.toMatchObject({ reason: 'malformed' })
    await asked(ids[2]!, 'two\nlines\u001b[2J')
    expect(a.member(ids[2]!)?.name).toBe('two lines [2J')
    const many = await Promise.all(Array.from({ length: 70 }, async () => peerIdOf(await createIdentity())))
    const answers = await Promise.allSettled(many.map(peer => asked(peer, 'x')))
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(63)
    expect(a.member(ids[2]!)).toBeDefined()
    await asked(ids[2]!, 'again') // a member is answered all the same
  })

  it('keeps room for others where an invite has got about', async () => {
    const a = holder()
    const leaked = ticketOf(a, { lasts: 3600 })
    const many = await Promise.all(Array.from({ length: 300 }, () => createIdentity()))
    let came = 0
    for (const [i, identity] of many.entries()) {
      if (i % 60 === 0) now = seconds(now + 61) // no faster than they may
      const peer = peerIdOf(identity)
      const invited = showTicket(leaked, peer, a.self, 'x')
      const refused = await a.certify(peer, invited, a.self).then(
        () => undefined,
        (error: unknown) => error
      )
      if (refused === undefined) came++
      else expect(refused).toMatchObject({ reason: 'full' })
    }
    expect(came).toBe(256)
    expect((await joined(a, 1)).isIn).toBe(true)
  })

  it('forgets no member for another when there are too many', async () => {
    const a = holder()
    const b = await joined(a, 1)
    const facts = { peer: ids[0]!, name: 'x', since: seconds(1), mayAdmit: false }
    const others = await Promise.all(Array.from({ length: MAX_MEMBERS }, async () => peerIdOf(await createIdentity())))
    a.learn(
      create(MemberRecordsSchema, { certificates: others.map(peer => issueCertificate(key, { ...facts, peer })) })
    )
    expect([a.members().length, a.member(b.self)?.name]).toEqual([MAX_MEMBERS, 'd1'])
    await expect(joined(a, 2)).rejects.toMatchObject({ reason: 'full' })
  })

  it('signs again, when it gets the new key, what it removed while that was made elsewhere', async () => {
    const [a, other] = [holder(), holder(3)]
    a.learn(other.known())
    const [b, out] = [await joined(a, 1), await joined(a, 2)]
    other.learn(a.known())
    await other.remove(out.self, 'd2')
    await a.rotate(createClusterKey())
    other.learn(a.known())
    // Who made the key had not heard of it: until then this one alone keeps it out.
    expect([a, other].map(roll => roll.isRemoved(out.self))).toEqual([false, true])
    other.watch(({ records }) => {
      for (const roll of [a, b]) roll.learn(records)
    })
    b.learn(a.known())
    expect(await other.takeKey(a.keyFor(other.self)!)).toBe(true)
    for (const roll of [a, b, other]) expect(roll.isRemoved(out.self)).toBe(true)
    expect(other.records().removals).toHaveLength(1)
  })
})

describe('a member that was removed and comes back under another identity', () => {
  it('is not let in by the invite that it had, under whatever name, and neither is anybody else', async () => {
    const a = holder()
    const ticket = ticketOf(a)
    const came = at(1, { kind: 'invited', ticket })
    await came.accept(await a.certify(ids[1]!, shown(ticket, 1, 0), a.self))
    await a.remove(ids[1]!, 'd1')
    for (const name of ['d1', 'another'])
      await expect(a.certify(ids[2]!, shown(ticket, 2, 0, name), a.self)).rejects.toMatchObject({ reason: 'revoked' })
    isRefused(
      () => a.assess({ peer: ids[3]!, role: 'observer', standing: asStanding(shown(ticket, 3, 0, '')) }),
      'revoked'
    )
    const b = at(4, {
      kind: 'member',
      cluster: a.cluster,
      certificate: issueCertificate(key, { ...a.members()[0]!, peer: ids[4]! })
    })
    b.learn(a.known())
    isRefused(() => b.assess({ peer: ids[2]!, role: 'device', standing: asStanding(shown(ticket, 2, 4)) }), 'revoked')
  })

  it('is not let in by its name with any invite from before; by one that was made since, or by another name, it is', async () => {
    const a = holder()
    await joined(a, 1)
    const before = ticketOf(a)
    await a.remove(ids[1]!, 'd1')
    const asked = (ticket: Ticket, name: string) => a.certify(ids[2]!, shown(ticket, 2, 0, name), a.self)
    await expect(asked(before, 'd1')).rejects.toMatchObject({ reason: 'revoked' })
    expect(await asked(ticketOf(a), 'd1')).toBeDefined()
    expect(await asked(before, 'd2')).toBeDefined()
  })

  it('stays out after the key was changed, by all invites from before', async () => {
    const a = holder()
    const [ticket, other] = [ticketOf(a), ticketOf(a)]
    await a.certify(ids[1]!, shown(ticket, 1, 0), a.self)
    await a.remove(ids[1]!, 'd1')
    await a.rotate(createClusterKey())
    for (const comes of [1, 2])
      for (const one of [ticket, other])
        await expect(a.certify(ids[comes]!, shown(one, comes, 0), a.self)).rejects.toMatchObject({
          reason: 'oldInvite'
        })
  })
})
