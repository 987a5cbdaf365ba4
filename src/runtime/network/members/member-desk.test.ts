import { create } from '@bufbuild/protobuf'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seconds } from '../../../core/units.ts'
import { joined, type NetworkGroup, networkGroup, type OpenNetwork } from '../../../testing/open-networks.ts'
import {
  type MemberRecords,
  type MembersRequest,
  RequestSchema,
  type Signed,
  VouchedSchema
} from '../../generated/tributary/v1/wire_pb.ts'
import { wallTime } from '../../system-clock.ts'
import { createClusterKey } from '../cluster-key.ts'
import { createIdentity, type Identity, peerIdOf } from '../identity.ts'
import { ClusterRoll, type Footing } from './cluster-roll.ts'
import { readCertificate } from './member-certificate.ts'
import { signPass } from './pass.ts'

let group: NetworkGroup
beforeEach(() => {
  group = networkGroup()
})
afterEach(() => group[Symbol.asyncDispose]())

interface Device extends OpenNetwork {
  readonly roll: ClusterRoll
}

const open = async (
  name: string,
  footing: Footing,
  role: 'device' | 'observer' | 'guest' = 'device',
  identity?: Identity,
  wall = wallTime
): Promise<Device> => {
  const privateKey = identity ?? (await createIdentity())
  const roll = new ClusterRoll({ self: peerIdOf(privateKey), name, footing, wallTime: wall })
  const listen = role === 'device' ? ['127.0.0.1:0'] : []
  return { ...(await group.open({}, { privateKey, cluster: roll, role, listen })), roll }
}
const holder = (name: string, key = group.key, wall = wallTime) =>
  open(name, { kind: 'holder', key }, 'device', undefined, wall)
const invited = (name: string, by: Device, { once = false } = {}) =>
  open(name, { kind: 'invited', ticket: by.roll.ticket({ name: '', once, lasts: seconds(60) }) })
const meet = async (from: Device, to: Device): Promise<void> => {
  from.network.join(to.address)
  await Promise.all([joined(from, to.self), joined(to, from.self)])
}
const left = (at: Device, who: Device) => at.event(({ kind, peer }) => kind === 'left' && peer === who.self)
const asks = (from: Device, to: Device, body: NonNullable<MembersRequest['body']>) =>
  from.network.request(
    to.self,
    create(RequestSchema, { body: { case: 'members', value: { $typeName: 'tributary.v1.MembersRequest', body } } })
  )

/** `a` holds the key; `b` came with a ticket, `c` through `b`. */
const three = async (): Promise<readonly [Device, Device, Device]> => {
  const a = await holder('a')
  const b = await invited('b', a)
  await meet(b, a)
  const c = await invited('c', a)
  await meet(c, b)
  await Promise.all([joined(a, c.self), joined(c, a.self)])
  return [a, b, c]
}

describe('a member without the key', () => {
  it('lets one in whom a holder has certified, and nobody while it hears none', async () => {
    const [a, b, c] = await three()
    expect(c.roll.isIn).toBe(true)
    expect(a.roll.member(c.self)).toMatchObject({ name: 'c', mayAdmit: false })
    const late = await invited('late', a)
    await a.network.stop()
    await left(b, a)
    late.network.join(b.address)
    expect(await late.event(({ kind }) => kind === 'refused')).toMatchObject({
      because: 'it refused us: nobody who may admit can be reached from it now'
    })
    expect(late.roll.isIn).toBe(false)
  })

  it('may not remove, change the key, or get it', async () => {
    const [a, b] = await three()
    await expect(asks(b, a, { case: 'remove', value: 'c' }).then(({ error }) => error)).resolves.toMatch(
      /only who holds/
    )
    const rotate = { case: 'rotate', value: { $typeName: 'tributary.v1.RotateKey' } } as const
    await expect(asks(b, a, rotate).then(({ error }) => error)).resolves.toMatch(/only who holds/)
    const key = { case: 'key', value: { $typeName: 'tributary.v1.GiveKey' } } as const
    await expect(asks(b, a, key).then(({ error }) => error)).resolves.toMatch(/may not have the key/)
  })
})

describe('guests', () => {
  it('go with the member that they came by', async () => {
    const a = await holder('a')
    const identity = await createIdentity()
    const ticket = a.roll.ticket({ name: '', once: true, lasts: seconds(60) })
    const m = await open('m', { kind: 'invited', ticket }, 'device', identity)
    await meet(m, a)
    const own = await createIdentity()
    const certificate = m.roll.standingFor(a.self).body.value as Signed
    const pass = await signPass(a.roll.cluster, peerIdOf(own), m.self, identity)
    const vouched = create(VouchedSchema, { certificate, pass })
    const guest = await open('', { kind: 'vouched', cluster: a.roll.cluster, vouched }, 'guest', own)
    await meet(guest, a)
    await a.roll.remove(m.self, 'm')
    await Promise.all([left(a, m), left(a, guest)])
    expect([...a.network.peers()]).toEqual([])
  })
})

describe('guests by an invite', () => {
  const came = async (wall = wallTime) => {
    const a = await holder('a', group.key, wall)
    const ticket = a.roll.ticket({ name: '', once: false, lasts: seconds(60) })
    const m = await open('m', { kind: 'invited', ticket })
    const guest = await open('', { kind: 'invited', ticket }, 'guest')
    await meet(m, a)
    await meet(guest, a)
    return { a, m, guest }
  }

  it('go with the member that came by it, when that is removed', async () => {
    const { a, m, guest } = await came()
    await a.roll.remove(m.self, 'm')
    await Promise.all([left(a, m), left(a, guest)])
    expect(await left(a, m)).toMatchObject({ isRemoved: true })
    expect(await left(a, guest)).not.toHaveProperty('isRemoved')
    expect([...a.network.peers()]).toEqual([])
  })

  it('go when it expires; members that came by it stay', async () => {
    let later = 0
    const { a, m, guest } = await came(() => seconds(wallTime() + later))
    later = 61
    expect(await left(a, guest)).toMatchObject({ because: 'it came with an invite that has expired' })
    expect([...a.network.peers().keys()]).toEqual([m.self])
  })
})

describe('an invite that is good once', () => {
  it('lets in one of many that come at once to several holders', async () => {
    const a = await holder('a')
    const other = await holder('other')
    await meet(other, a)
    const ticket = a.roll.ticket({ name: '', once: true, lasts: seconds(60) })
    const comers = await Promise.all(['x', 'y', 'z'].map(name => open(name, { kind: 'invited', ticket })))
    for (const [i, comer] of comers.entries()) comer.network.join((i % 2 === 0 ? a : other).address)
    await Promise.all(comers.map(comer => comer.event(({ kind }) => kind === 'joined' || kind === 'refused')))
    expect(comers.filter(({ roll }) => roll.isIn)).toHaveLength(1)
  })
})

describe('while the key changes', () => {
  it('a member that leaves out another in what it passes on has nobody dropped', async () => {
    const [a, b, c] = await three()
    const ticket = a.roll.ticket({ name: '', once: false, lasts: seconds(60) })
    const guest = await open('', { kind: 'invited', ticket }, 'guest')
    await meet(guest, b)
    // What the holder would tell: but it comes from another first.
    const twin = new ClusterRoll({ self: a.self, name: 'a', footing: { kind: 'holder', key: group.key }, wallTime })
    twin.learn(a.roll.known())
    let changed: MemberRecords | undefined
    twin.watch(({ records }) => {
      changed = records
    })
    await twin.rotate(createClusterKey())
    const { certificates, ...others } = changed!
    const isOf = (peer: string) => (signed: Signed) => readCertificate(signed, twin.cluster)?.peer === peer
    b.roll.learn({ ...others, certificates: certificates.filter(signed => !isOf(c.self)(signed)) })
    expect(b.roll.member(c.self)).toBe(undefined)
    c.roll.learn(changed!)
    await left(b, guest)
    await asks(b, c, { case: 'known', value: { $typeName: 'tributary.v1.KnownMembers' } })
    expect(b.network.peers().has(c.self)).toBe(true)
    expect(b.roll.member(c.self)).toMatchObject({ name: 'c' })
  })
})

describe('a removed member', () => {
  it('is out everywhere within a second, knows why, and is let in no more', async () => {
    const [a, b, c] = await three()
    const began = performance.now()
    await a.roll.remove(c.self, 'c')
    await Promise.all([left(a, c), left(b, c), left(c, a), left(c, b)])
    expect(performance.now() - began).toBeLessThan(1000)
    await expect.poll(() => c.roll.removed?.peer).toBe(c.self) // it checks who says so
    expect(c.said).toContain('this device was removed from the cluster')
    expect([...a.network.peers().keys()]).toEqual([b.self])
    b.network.join(c.address)
    await b.event(({ kind, peer }) => kind === 'refused' && peer === c.self)
    expect([...b.network.peers().keys()]).toEqual([a.self])
  })

  it('that was away learns it from whom it meets first', async () => {
    const a = await holder('a')
    const b = await invited('b', a)
    await meet(b, a)
    const away = await createIdentity()
    const certificate = await a.roll.certify(
      peerIdOf(away),
      // As it would have shown it.
      await shownBy(a, peerIdOf(away)),
      a.self
    )
    await a.roll.remove(peerIdOf(away), 'away')
    await expect.poll(() => b.roll.isRemoved(peerIdOf(away))).toBe(true)
    const roll = new ClusterRoll({
      ...{ self: peerIdOf(away), name: 'away', wallTime },
      footing: { kind: 'member', cluster: a.roll.cluster, certificate }
    })
    const back = await group.open({}, { privateKey: away, cluster: roll })
    back.network.join(b.address)
    expect(await back.event(({ kind }) => kind === 'refused')).toMatchObject({
      because: 'it refused us: this device was removed from the cluster'
    })
    expect(roll.removed?.name).toBe('away')
  })

  it('is not made of what another cluster signed', async () => {
    const [a, b, c] = await three()
    const evil = new ClusterRoll({
      ...{ self: b.self, name: 'b', wallTime },
      footing: { kind: 'holder', key: createClusterKey() }
    })
    await evil.remove(c.self, 'c')
    a.roll.learn(evil.known())
    c.roll.learn(evil.known())
    expect([a.roll.isRemoved(c.self), c.roll.removed]).toEqual([false, undefined])
    expect([...c.network.peers().keys()].toSorted()).toEqual([a.self, b.self].toSorted())
  })
})

describe('another key', () => {
  it('reaches all that are connected, without a connection lost, and gives holders the key', async () => {
    const [a, b, c] = await three()
    const second = await holder('second')
    await meet(second, a)
    await Promise.all([b, c].map(one => joined(one, second.self)))
    const devices = [a, b, c, second]
    await a.roll.rotate(createClusterKey())
    await expect.poll(() => devices.every(({ roll }) => Buffer.compare(roll.cluster, a.roll.cluster) === 0)).toBe(true)
    await expect.poll(() => second.roll.mayAdmit).toBe(true)
    expect([b.roll.mayAdmit, c.roll.mayAdmit]).toEqual([false, false])
    expect(devices.flatMap(({ events }) => events.filter(({ kind }) => kind === 'left'))).toEqual([])
    const fresh = await invited('fresh', second)
    await meet(fresh, c)
  })

  it('reaches who was away, whichever side dials', async () => {
    const a = await holder('a')
    const [b, c] = [await invited('b', a), await invited('c', a)]
    await Promise.all([meet(b, a), meet(c, a)])
    await Promise.all([joined(b, c.self), joined(c, b.self)])
    // As if they had been away: others of the same identities and certificates, that heard nothing.
    const key = createClusterKey()
    const silent = new ClusterRoll({ self: a.self, name: 'a', footing: { kind: 'holder', key: group.key }, wallTime })
    silent.learn(a.roll.known())
    await silent.rotate(key)
    const before = await holder('before')
    await meet(before, b)
    a.roll.learn(silent.known())
    await expect.poll(() => Buffer.compare(c.roll.cluster, silent.cluster)).toBe(0)
    expect(before.roll.cluster).not.toEqual(silent.cluster) // nobody had heard of it when the key was changed
    await left(before, b)
  })
})

const shownBy = async (by: Device, comes: Device['self']) => {
  const { showTicket } = await import('./ticket.ts')
  return showTicket(by.roll.ticket({ name: '', once: false, lasts: seconds(60) }), comes, by.self, 'away')
}

it('lets in eight guests of one member at a door, and no ninth', async () => {
  const a = await holder('a')
  const identity = await createIdentity()
  const ticket = a.roll.ticket({ name: '', once: true, lasts: seconds(60) })
  const m = await open('m', { kind: 'invited', ticket }, 'device', identity)
  await meet(m, a)
  const certificate = m.roll.standingFor(a.self).body.value as Signed
  const guest = async (): Promise<Device> => {
    const own = await createIdentity()
    const pass = await signPass(a.roll.cluster, peerIdOf(own), m.self, identity)
    const vouched = create(VouchedSchema, { certificate, pass })
    return open('', { kind: 'vouched', cluster: a.roll.cluster, vouched }, 'guest', own)
  }
  const eight = await Promise.all(Array.from({ length: 8 }, guest))
  for (const one of eight) await meet(one, a)
  const ninth = await guest()
  ninth.network.join(a.address)
  const told = await ninth.event(({ kind }) => kind === 'refused')
  expect(told).toMatchObject({ because: expect.stringMatching(/too many that look or ask/) })
  expect([...a.network.peers().values()].filter(role => role === 'guest')).toHaveLength(8)
})
