import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { joined, type NetworkGroup, networkGroup } from '../../testing/open-networks.ts'
import { createIdentity } from './identity.ts'
import type { Twins } from './incarnation-book.ts'

let group: NetworkGroup
beforeEach(() => {
  group = networkGroup()
})
afterEach(() => group[Symbol.asyncDispose]())

const findings = () => {
  const { promise, resolve } = Promise.withResolvers<Twins>()
  return { first: promise, onTwins: resolve }
}

describe('two devices with one identity', () => {
  it('are noticed by a third; one of them stays, and the other is told', async () => {
    const [seen, one, two] = [findings(), findings(), findings()]
    const third = await group.open({}, { onTwins: seen.onTwins })
    const privateKey = await createIdentity()
    const a = await group.open({}, { privateKey, onTwins: one.onTwins })
    const b = await group.open({}, { privateKey, onTwins: two.onTwins })
    for (const { network } of [a, b]) network.join(third.address)
    const { peer, stays, goes } = await seen.first
    expect([peer, stays.incarnation < goes.incarnation]).toEqual([a.self, true])
    const told = await Promise.race([one.first, two.first])
    expect(told).toMatchObject({ peer: a.self, stays: { address: '127.0.0.1' }, goes: { address: 'this device' } })
    await joined(third, a.self)
    expect(third.network.peers().get(a.self)).toBe('device')
  })

  it('that meet each other know it at once, and agree on who stays', async () => {
    const [one, two] = [findings(), findings()]
    const privateKey = await createIdentity()
    const a = await group.open({}, { privateKey, onTwins: one.onTwins })
    const b = await group.open({}, { privateKey, onTwins: two.onTwins })
    b.network.join(a.address)
    const [atA, atB] = await Promise.all([one.first, two.first])
    expect([atA.stays.incarnation, atA.goes.incarnation]).toEqual([atB.stays.incarnation, atB.goes.incarnation])
    const here = [atA, atB].map(({ goes }) => goes.address === 'this device')
    expect(here.filter(Boolean)).toHaveLength(1) // one of the two is told to go
  })

  it('are not one device that dials its own address', async () => {
    const { onTwins, first } = findings()
    const a = await group.open({}, { onTwins })
    a.network.join(a.address)
    const b = await group.open()
    a.network.join(b.address)
    await joined(a, b.self)
    expect(await Promise.race([first, Promise.resolve('nothing')])).toBe('nothing')
  })
})

describe('a device that was restarted', () => {
  it('is not taken for two', async () => {
    const { onTwins, first } = findings()
    const third = await group.open({}, { onTwins })
    const privateKey = await createIdentity()
    for (let life = 0; life < 4; life++) {
      const device = await group.open({}, { privateKey })
      device.network.join(third.address)
      await joined(device, third.self)
      await device.network.stop()
    }
    expect(await Promise.race([first, Promise.resolve('nothing')])).toBe('nothing')
  })
})
