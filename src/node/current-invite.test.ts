import { afterEach, expect, test } from 'vitest'
import { createClusterKey } from '../runtime/network/cluster-key.ts'
import { decodeInvite } from '../runtime/network/invite.ts'
import { ClusterRoll } from '../runtime/network/members/cluster-roll.ts'
import { wallTime } from '../runtime/system-clock.ts'
import { joined, type NetworkGroup, networkGroup, openPair } from '../testing/open-networks.ts'
import { currentInvite } from './current-invite.ts'

let group: NetworkGroup | undefined
afterEach(() => group?.[Symbol.asyncDispose]())

test('a device is joined where it listens, a guest, which listens nowhere, where the devices listen that it knows', async () => {
  group = networkGroup()
  const [a, b] = await openPair(group)
  const guest = await group.open({}, { role: 'guest', listen: [] })
  guest.network.join(a.address)
  await Promise.all([joined(guest, a.self), joined(guest, b.self)])
  const at = (...addresses: readonly string[]) =>
    addresses
      .map(one =>
        one
          .split('/')
          .filter((_, i) => i === 2 || i === 4)
          .join(':')
      )
      .sort()
  const footing = { kind: 'holder', key: createClusterKey() } as const
  const roll = new ClusterRoll({ self: a.self, name: 'a', footing, wallTime })
  const of = (network: typeof a.network) => [...decodeInvite(currentInvite(roll, network)).addresses].sort()
  expect(of(a.network)).toEqual(at(a.address))
  expect(of(guest.network)).toEqual(at(a.address, b.address))
  await b.network.stop()
  await guest.event(({ kind, peer }) => kind === 'left' && peer === b.self)
  expect(of(guest.network)).toEqual(at(a.address))
})
