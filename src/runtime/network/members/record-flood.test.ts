import { create } from '@bufbuild/protobuf'
import { beforeAll, expect, test } from 'vitest'
import { PEER_BUDGETS, PeerBudgets } from '../../../cluster/peer-budgets.ts'
import { type DeviceId, deviceId } from '../../../core/ids.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import { createManualClock } from '../../../testing/manual-clock.ts'
import { type MemberRecords, MemberRecordsSchema, type Signed } from '../../generated/tributary/v1/wire_pb.ts'
import { createClusterKey } from '../cluster-key.ts'
import { createIdentity, peerIdOf } from '../identity.ts'
import { ClusterRoll, MAX_MEMBERS } from './cluster-roll.ts'
import { issueCertificate } from './member-certificate.ts'
import { MemberDesk } from './member-desk.ts'

const key = createClusterKey()
const [mallory, honest] = [deviceId('mallory'), deviceId('honest')]
let [self, one, another]: DeviceId[] = []
beforeAll(async () => {
  ;[self, one, another] = await Promise.all([0, 1, 2].map(async () => peerIdOf(await createIdentity())))
})

const certificate = (peer: DeviceId): Signed =>
  issueCertificate(key, { peer, name: 'x', since: seconds(1), mayAdmit: false })
/** It says that the cluster's key has signed it. */
const forged = (peer: DeviceId): Signed => ({ ...certificate(peer), signature: new Uint8Array(64) })
const told = (certificates: Signed[]): MemberRecords => create(MemberRecordsSchema, { certificates })

const open = () => {
  let verified = 0
  const clock = createManualClock()
  const exceeded: string[] = []
  const budgets = new PeerBudgets({ now: (): Seconds => clock.now(), exceeded: peer => void exceeded.push(peer) })
  const roll = new ClusterRoll({ self: self!, name: 'a', footing: { kind: 'holder', key }, wallTime: () => seconds(9) })
  const counted = Object.assign(Object.create(budgets) as PeerBudgets, {
    takes: (...asked: Parameters<PeerBudgets['takes']>) => {
      if (asked[1] === 'records') verified++
      return budgets.takes(...asked)
    },
    spends: (...spent: Parameters<PeerBudgets['spends']>) => budgets.spends(...spent),
    givesBack: (...given: Parameters<PeerBudgets['givesBack']>) => budgets.givesBack(...given)
  })
  const nothing = (): void => {}
  const desk = new MemberDesk({
    ...{ roll, clock, budgets: counted, sessions: () => [], expel: nothing, leave: nothing, say: nothing }
  })
  return { desk, roll, budgets, exceeded, clock, verified: () => verified }
}

test('of 1,024 forged certificates one is verified, and what comes after it in the message is not believed', () => {
  const { desk, roll, verified } = open()
  const junk = new Array<Signed>(MAX_MEMBERS - 1).fill(forged(one!))
  desk.onRecords(mallory, told([...junk, certificate(another!)]))
  expect(verified()).toBe(1)
  expect(roll.member(another!)).toBeUndefined()
})

test('who forges again and again is not heard for a while, and others are', async () => {
  const { desk, roll, exceeded, clock, verified } = open()
  const { burst, perSecond } = PEER_BUDGETS.forgeries
  const junk = told([forged(one!)])
  for (let i = 0; i < 10 * burst; i++) desk.onRecords(mallory, junk)
  expect([verified(), exceeded]).toEqual([burst, [mallory]])
  desk.onRecords(mallory, told([certificate(one!)]))
  expect(roll.member(one!)).toBeUndefined()
  desk.onRecords(honest, told([certificate(one!)]))
  expect(roll.member(one!)).toBeDefined()
  await clock.advance(seconds(1 / perSecond))
  desk.onRecords(mallory, told([certificate(another!)]))
  expect(roll.member(another!)).toBeDefined()
})

test('what is known, or says that it is of another cluster, is not verified', () => {
  const { desk, roll, verified } = open()
  desk.onRecords(mallory, told([certificate(one!)]))
  const foreign = issueCertificate(createClusterKey(), { peer: another!, name: 'x', since: seconds(1), mayAdmit: true })
  const again = [certificate(one!), forged(one!), foreign]
  for (let i = 0; i < 100; i++) desk.onRecords(mallory, told(again))
  expect(verified()).toBe(1)
  expect(roll.member(another!)).toBeUndefined()
})

test('bytes that are no record are forged too', () => {
  const { desk, exceeded } = open()
  const junk = { ...certificate(one!), body: new Uint8Array(100).fill(255) }
  for (let i = 0; i <= PEER_BUDGETS.forgeries.burst; i++) desk.onRecords(mallory, told([junk]))
  expect(exceeded).toEqual([mallory])
})

test('who says again and again what is known is read more slowly', () => {
  const { desk, budgets } = open()
  const again = told(new Array<Signed>(MAX_MEMBERS).fill(certificate(one!)))
  desk.onRecords(mallory, again)
  expect(budgets.spends(mallory, 'words', 0)).toBe(0)
  for (let i = 0; i < 20; i++) desk.onRecords(mallory, again)
  expect(budgets.spends(mallory, 'words', 0)).toBeGreaterThan(1)
})
