import { create } from '@bufbuild/protobuf'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { joined, type NetworkGroup, networkGroup } from '../../testing/open-networks.ts'
import { wsLikeTransport } from '../../testing/ws-like-transport.ts'
import { TaskSchema } from '../generated/tributary/v1/wire_pb.ts'
import { createIdentity } from './identity.ts'
import { tcpTransport } from './tcp-transport.ts'

let group: NetworkGroup
beforeEach(() => {
  group = networkGroup()
})
afterEach(() => group[Symbol.asyncDispose]())

const WS = '/ip4/127.0.0.1/tcp/0/ws'
const both = { transports: [tcpTransport, wsLikeTransport] }

test('devices meet over the transport that they are given, and tasks pass', async () => {
  const only = { transports: [wsLikeTransport], listen: [WS] }
  const [a, b] = [await group.open({}, only), await group.open({}, only)]
  expect(a.address).toMatch(/^\/ip4\/127.0.0.1\/tcp\/\d+\/ws\/p2p\//)
  b.network.join(a.address)
  await Promise.all([joined(a, b.self), joined(b, a.self)])
  expect(await b.network.sendTask(a.self, create(TaskSchema), []).answered).toEqual({ kind: 'accepted' })
})

test('an address that a device cannot dial is passed on by it to one that can', async () => {
  // The first speaks TCP only, and is dialled by one that listens elsewhere.
  const first = await group.open()
  const hidden = await group.open({}, { ...both, listen: [WS] })
  hidden.network.join(first.address)
  await Promise.all([joined(first, hidden.self), joined(hidden, first.self)])
  const known = [[hidden.self, [hidden.address.replace(/\/p2p\/.*/, '')]]]
  await expect.poll(() => [...first.network.acquaintances()]).toEqual(known)
  const third = await group.open({}, { ...both, listen: [WS] })
  third.network.join(first.address)
  await Promise.all([joined(third, hidden.self), joined(hidden, third.self)])
  expect(third.network.peers().size).toBe(2)
})

test('it is kept for the next start, for another build of the device', async () => {
  const hidden = await group.open({}, { ...both, listen: [WS] })
  const address = hidden.address.replace(/\/p2p\/.*/, '')
  const [privateKey, recalled] = [await createIdentity(), new Map([[hidden.self, [address]]])]
  const before = await group.open({}, { privateKey, recalled })
  expect(before.network.acquaintances().get(hidden.self)).toEqual([address])
  await before.network.stop()
  expect(before.said).toEqual([])
  const after = await group.open({}, { privateKey, recalled: before.network.acquaintances(), ...both })
  await joined(after, hidden.self)
})

test('of what is to be joined one must be dialled here', async () => {
  const [tcp, ws] = [await group.open(), await group.open({}, { ...both, listen: [WS] })]
  const b = await group.open()
  expect(() => b.network.join(ws.address)).toThrow('/ws is not known here')
  expect(() => b.network.join('/ip4/10.0.0.1/udp/1/quic-v1')).toThrow('only /tcp is spoken here')
  b.network.join(ws.address, tcp.address)
  await joined(b, tcp.self)
  await expect(group.open({}, { listen: [WS] })).rejects.toThrow('/ws is not known here')
})
