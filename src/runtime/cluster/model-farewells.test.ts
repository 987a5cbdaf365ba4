import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { PEER_BUDGETS, PeerBudgets } from '../../cluster/peer-budgets.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { JobGuard } from '../../core/job-guard.ts'
import { seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { memorySigner } from '../../testing/simulated/memory-signer.ts'
import { toyModel } from '../../testing/simulated/toy-model.ts'
import { type DeviceState, DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { ClusterView } from './cluster-view.ts'
import { sealManifest } from './manifest-seal.ts'
import { type Farewell, ModelFarewells } from './model-farewells.ts'

const [A, OWNER, THIRD] = ['a', 'owner', 'third'].map(deviceId) as [DeviceId, DeviceId, DeviceId]
const { manifest } = toyModel({ name: 'net', salt: 1, work: [1], weights: [10], length: 4, skips: false })
const sealed = await sealManifest(manifest, OWNER, memorySigner(OWNER))
const { id } = sealed

let sequence = 0n
const state = (device: DeviceId, said: MessageInitShape<typeof DeviceStateSchema>): DeviceState =>
  create(DeviceStateSchema, { device, name: device, sequence: ++sequence, speed: 1, ...said })
const claim = { model: id, owner: true, name: 'net', revision: 1n }

const open = (self: DeviceId) => {
  const view = new ClusterView(self, 1)
  view.addManifest(sealed)
  for (const device of [A, OWNER, THIRD]) if (device !== self) view.joined(device)
  const exceeded: string[] = []
  const budgets = new PeerBudgets({ now: () => seconds(0), exceeded: peer => void exceeded.push(peer) })
  const guard = new JobGuard({ clock: createManualClock(), say: () => {} })
  const parts = { now: () => seconds(0), guard, view, budgets, signer: memorySigner(self), changed: () => {} }
  return { view, exceeded, farewells: new ModelFarewells(parts) }
}
/** All that was begun is done. */
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

const signed = async (): Promise<readonly Farewell[]> => {
  const { view, farewells } = open(OWNER)
  view.dismiss(id, seconds(0))
  farewells.tick()
  await settled()
  return farewells.told()
}

test('that a model has left is believed from any device once its owner has gone, and told on', async () => {
  const { view, farewells } = open(A)
  view.heard(OWNER, state(OWNER, { models: [claim] }))
  view.left(OWNER)
  const told = await signed()
  expect(told).toHaveLength(1)
  farewells.heard(THIRD, state(THIRD, { farewells: [...told] }))
  await settled()
  expect(view.models.isGone(id)).toBe(true)
  expect(farewells.told()).toEqual(told)
})

test('what its owner has not signed is not believed, nor is what it says by now otherwise', async () => {
  const { view, farewells, exceeded } = open(A)
  const [{ signature }] = (await signed()) as [Farewell]
  view.heard(OWNER, state(OWNER, { models: [claim] }))
  farewells.heard(THIRD, state(THIRD, { farewells: [{ model: id, signature }] })) // it has brought it back since
  await settled()
  view.left(OWNER)
  const forged = await memorySigner(THIRD).sign(new Uint8Array())
  for (let i = 0; i <= PEER_BUDGETS.forgeries.burst; i++) {
    farewells.heard(THIRD, state(THIRD, { farewells: [{ model: id, signature: forged }] }))
    await settled()
  }
  expect(view.models.isGone(id)).toBe(false)
  expect(exceeded).toEqual([THIRD])
})

test('another owner keeps it', async () => {
  const { view, farewells } = open(A)
  view.heard(THIRD, state(THIRD, { models: [claim] }))
  view.left(OWNER)
  farewells.heard(THIRD, state(THIRD, { farewells: [...(await signed())] }))
  await settled()
  expect(view.models.isGone(id)).toBe(false)
})
