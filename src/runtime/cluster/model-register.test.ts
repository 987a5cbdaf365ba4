import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { blockHash, type DeviceId, deviceId, type ModelId, modelId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { bytes, seconds } from '../../core/units.ts'
import { type DeviceState, DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { ClusterView } from './cluster-view.ts'
import { ModelPins } from './model-pins.ts'

const [A, B, C] = ['a', 'b', 'c'].map(deviceId) as [DeviceId, DeviceId, DeviceId]
const [OLD, NEW] = ['1'.repeat(64), '2'.repeat(64)].map(modelId) as [ModelId, ModelId]

const manifest = (id: ModelId, name = 'net'): ModelManifest => ({
  ...{ id, name, sha256: id, inputs: [], outputs: [] },
  blocks: [{ sha256: blockHash(id), bytes: bytes(1), flops: 1, work: seconds(1) }],
  activations: [0, 1].map(() => ({ bytes: bytes(1), tensors: [] })),
  seal: { owner: B, signature: new Uint8Array() }
})

let sequence = 0n
const state = (device: DeviceId, said: MessageInitShape<typeof DeviceStateSchema>): DeviceState =>
  create(DeviceStateSchema, { device, name: device, sequence: ++sequence, speed: 1, canPlan: true, ...said })
const owns = (model: ModelId, revision = 1n, name = 'net') => ({ model, owner: true, name, revision })
const carries = (model: ModelId) => ({ model, owner: false, blocks: [{ block: 0, seconds: 1 }] })

/** Device a knows both models and that b and c are there. */
const open = () => {
  const view = new ClusterView(A, 1)
  for (const id of [OLD, NEW]) view.addManifest(manifest(id))
  for (const device of [B, C]) view.joined(device)
  return view
}
const named = (view: ClusterView, at = A, name = 'net') => view.models.resolve(name, at)?.id

test('a name means what an owner who is there says, whoever spoke first and whichever id is smaller', () => {
  for (const [before, after] of [
    [OLD, NEW],
    [NEW, OLD]
  ] as const) {
    const said = [state(B, { models: [owns(after)] }), state(C, { models: [carries(before)] })]
    for (const states of [said, said.toReversed()]) {
      const view = open()
      for (const each of states) view.heard(deviceId(each.device), each)
      expect([named(view), named(view, C)]).toEqual([after, after])
    }
  }
})

test('of two owners the larger revision counts, of equals the smaller owner; who owns one uses that', () => {
  for (const [revisions, means] of [
    [[1n, 1n], OLD],
    [[2n, 1n], OLD],
    [[1n, 2n], NEW]
  ] as const) {
    const said = [state(B, { models: [owns(OLD, revisions[0])] }), state(C, { models: [owns(NEW, revisions[1])] })]
    for (const states of [said, said.toReversed()]) {
      const view = open()
      for (const each of states) view.heard(deviceId(each.device), each)
      expect([named(view), named(view, B), named(view, C)]).toEqual([means, OLD, NEW])
      expect(view.models.clashes().map(claims => claims.map(({ model }) => model))).toEqual([
        means === OLD ? [OLD, NEW] : [NEW, OLD]
      ])
    }
  }
})

test('while its owner is away a model is still meant by its name; a name that nobody gives means nothing', () => {
  const view = open()
  view.heard(B, state(B, { models: [owns(NEW)] }))
  view.left(B)
  expect(named(view)).toBe(NEW)
  expect(named(view, A, 'other')).toBeUndefined()
  view.heard(C, state(C, { models: [owns(OLD, 1n, 'other')] }))
  expect([named(view), named(view, A, 'other'), named(view, A, '')]).toEqual([NEW, OLD, OLD])
})

test('a model that its owner says has left is carried, asked for and planned for by nobody, in whatever order that is heard', () => {
  const owner = state(B, { models: [owns(NEW, 2n)], goneModels: [OLD] })
  const worker = state(C, { models: [carries(OLD)] })
  for (const states of [
    [owner, worker],
    [worker, owner]
  ]) {
    const view = new ClusterView(A, 1)
    for (const device of [B, C]) view.joined(device)
    view.addManifest(manifest(NEW))
    for (const each of states) view.heard(deviceId(each.device), each)
    view.addManifest(manifest(OLD)) // it says whose it is: until then nobody's word counts
    expect(view.unknownModels()).toEqual([])
    expect(view.manifests().map(({ id }) => id)).toEqual([NEW])
    expect(view.world.carries(2, view.world.modelIndex(OLD)!, 0)).toBe(false)
    expect(view.models.gone(seconds(0))).toEqual([OLD]) // and it is passed on
    expect(view.manifest(OLD)?.id).toBe(OLD) // what is under way can still be told
  }
})

test('who is there and owns a model keeps it, whoever says that it has left; an owner brings it back', () => {
  const view = open()
  view.heard(B, state(B, { models: [owns(OLD)] }))
  view.heard(C, state(C, { models: [carries(OLD)], goneModels: [OLD] }))
  expect(view.models.isGone(OLD)).toBe(false)
  expect(view.dismiss(OLD, seconds(1))).toBe(false)
  view.heard(B, state(B, {}))
  expect(view.dismiss(OLD, seconds(2))).toBe(true)
  expect(view.models.takeLeft().map(({ id }) => id)).toEqual([OLD])
  expect(view.world.carries(2, view.world.modelIndex(OLD)!, 0)).toBe(false)
  view.heard(B, state(B, { models: [owns(OLD)] }))
  expect(view.models.isGone(OLD)).toBe(false)
  expect(view.world.carries(2, view.world.modelIndex(OLD)!, 0)).toBe(true)
  expect(view.models.gone(seconds(3))).toEqual([])
})

test('nobody but those whose it is can say that a model has left, also while they are away', () => {
  const view = open()
  view.heard(B, state(B, { models: [owns(OLD)] }))
  view.left(B)
  view.heard(C, state(C, { models: [carries(OLD)], goneModels: [OLD] }))
  view.heard(C, state(C, { models: [owns(OLD)] })) // it has the same file, it says
  view.heard(C, state(C, { goneModels: [OLD] }))
  expect([view.models.isGone(OLD), named(view)]).toEqual([false, OLD])
  const stranger = open() // to which the owner has never spoken
  stranger.heard(C, state(C, { models: [carries(OLD)], goneModels: [OLD] }))
  expect(stranger.models.isGone(OLD)).toBe(false)
  view.joined(B)
  view.heard(B, state(B, { goneModels: [OLD] }))
  expect(view.models.isGone(OLD)).toBe(true)
})

test('where two own a model it stays until both have said that it has left', () => {
  const view = open()
  view.heard(B, state(B, { models: [owns(OLD)] }))
  view.heard(C, state(C, { models: [owns(OLD)] }))
  view.left(C)
  view.heard(B, state(B, { goneModels: [OLD] }))
  expect(view.models.isGone(OLD)).toBe(false)
  view.joined(C)
  view.heard(C, state(C, { goneModels: [OLD] }))
  expect(view.models.isGone(OLD)).toBe(true)
})

test('a model that nobody owns or uses leaves after a time; one that a source uses stays until the source is done', () => {
  const view = open()
  const keep = seconds(100)
  const using = (done: boolean) => state(C, { models: [carries(OLD)], sources: [{ model: 'net', modelId: OLD, done }] })
  view.heard(B, state(B, { models: [owns(OLD)] }))
  view.heard(C, using(false))
  view.heard(A, state(A, { models: [owns(NEW, 1n, 'mine')] }))
  expect(view.forget(seconds(0), keep)).toEqual([])
  view.left(B)
  expect(view.forget(seconds(500), keep)).toEqual([])
  view.heard(C, using(true))
  expect(view.forget(seconds(600), keep)).toEqual([])
  expect(view.forget(seconds(699), keep)).toEqual([])
  expect(view.forget(seconds(700), keep)).toEqual([OLD])
  expect(view.manifests().map(({ id }) => id)).toEqual([NEW])
})

test('an owner that comes back has the time begin anew', () => {
  const view = open()
  view.heard(B, state(B, { models: [owns(OLD), owns(NEW)] }))
  view.left(B)
  expect(view.forget(seconds(0), seconds(100))).toEqual([])
  view.joined(B)
  expect(view.forget(seconds(99), seconds(100))).toEqual([])
  view.left(B)
  expect(view.forget(seconds(150), seconds(100))).toEqual([])
  expect(view.forget(seconds(250), seconds(100))).toEqual([OLD, NEW])
})

test('a model whose name another owner gives to another is not kept as long', () => {
  const view = open()
  view.heard(B, state(B, { models: [owns(OLD)] }))
  view.left(B)
  view.heard(C, state(C, { models: [owns(NEW)] })) // another device: the first was set up anew
  expect(view.forget(seconds(0), seconds(3600))).toEqual([])
  expect(named(view)).toBe(NEW)
  expect(view.forget(seconds(10), seconds(3600))).toEqual([OLD])
})

test('an owner who is away for a moment does not make a name mean another model; one who is gone does, but to who uses it', () => {
  const view = open()
  view.heard(B, state(B, { models: [owns(OLD, 2n)] }))
  view.heard(C, state(C, { models: [owns(NEW, 1n)] }))
  view.heard(A, state(A, { sources: [{ model: 'net', modelId: OLD }] }))
  view.left(B)
  expect(view.forget(seconds(0), seconds(3600))).toEqual([])
  expect(view.forget(seconds(9000), seconds(3600))).toEqual([])
  expect(named(view)).toBe(OLD)
  view.heard(A, state(A, { sources: [{ model: 'net', modelId: OLD, done: true }] }))
  expect(view.forget(seconds(9001), seconds(3600))).toEqual([])
  expect(view.forget(seconds(9010), seconds(3600))).toEqual([])
  expect(view.forget(seconds(9011), seconds(3600))).toEqual([OLD])
  expect(named(view)).toBe(NEW)
  view.joined(B)
  view.heard(B, state(B, { models: [owns(OLD, 2n)] }))
  expect(named(view)).toBe(OLD)
})

test('a device that comes late and still carries what has left is told again', () => {
  const view = open()
  expect(view.dismiss(OLD, seconds(0))).toBe(true)
  expect(view.models.gone(seconds(599))).toEqual([OLD])
  expect(view.models.gone(seconds(601))).toEqual([])
  view.heard(C, state(C, { models: [carries(OLD)] }), seconds(1000))
  expect(view.models.gone(seconds(1001))).toEqual([OLD])
})

test('one content by several names: each is a name of the cluster as long as an owner calls it so', () => {
  const view = open()
  view.heard(B, state(B, { models: [owns(OLD), owns(OLD, 1n, 'alias')] }))
  view.heard(C, state(C, { models: [owns(OLD, 1n, 'yolo'), owns(NEW, 1n, 'other')] }))
  expect(view.models.names()).toEqual(['alias', 'net', 'other', 'yolo'])
  expect(view.models.namesOf(OLD)).toEqual(['net', 'alias', 'yolo'])
  expect(view.models.nameOf(OLD)).toBe('net') // that it came with
  expect(view.models.owners(OLD)).toEqual([B, C])
  view.heard(B, state(B, { models: [owns(OLD, 1n, 'alias')] }))
  expect([named(view), named(view, A, 'alias')]).toEqual([undefined, OLD])
  expect(view.models.names()).toEqual(['alias', 'other', 'yolo'])
})

test('what nobody owns is meant by the name that it came with', () => {
  const view = open()
  view.heard(C, state(C, { models: [carries(OLD)] }))
  view.dismiss(NEW, seconds(0))
  expect([named(view), view.models.names()]).toEqual([manifest(OLD).id, ['net']])
})

test('a name that was used keeps meaning that model, or what the same owner puts in its place with a larger number', () => {
  const pins = new ModelPins()
  const view = new ClusterView(A, 1, undefined, pins)
  for (const id of [OLD, NEW]) view.addManifest(manifest(id))
  for (const device of [B, C]) view.joined(device)
  const means = (name = 'net') => {
    const choice = view.useModel(name)
    return choice.kind === 'model' ? choice.manifest.id : choice.kind
  }
  view.heard(B, state(B, { models: [owns(OLD, 3n)] }))
  expect(means()).toBe(OLD)
  view.heard(C, state(C, { models: [owns(NEW, 2n ** 60n)] }))
  expect([means(), pins.get('net')]).toEqual([OLD, { model: OLD, owner: B, revision: 3n }])
  view.heard(B, state(B, { models: [owns(NEW, 2n)] })) // what its owner said long ago, said again
  expect(means()).toBe(OLD)
  view.dismiss(OLD, seconds(1))
  expect(view.chooseModel('net')).toMatchObject({ kind: 'refused', offers: [{ device: C }, { device: B }] })
  view.heard(B, state(B, { models: [owns(NEW, 4n)] }))
  expect([means(), pins.get('net')]).toEqual([NEW, { model: NEW, owner: B, revision: 4n }])
})

test('a fingerprint means one model whatever it is called; where several begin so, the name decides, or nobody', () => {
  const [ONE, TWO] = [`${'3'.repeat(12)}a`, `${'3'.repeat(12)}b`].map(text => modelId(text.padEnd(64, '0')))
  const view = open()
  view.addManifest(manifest(ONE!))
  expect(view.manifestNamed(`other@${'3'.repeat(12)}`)?.id).toBe(ONE)
  view.addManifest(manifest(TWO!))
  expect(view.chooseModel(`net@${'3'.repeat(12)}`)).toEqual({ kind: 'ambiguous', models: [ONE, TWO] })
  expect(view.manifestNamed(`net@${'3'.repeat(12)}b`)?.id).toBe(TWO)
  view.heard(B, state(B, { models: [owns(TWO!, 1n, 'mine')] }))
  expect(view.manifestNamed(`mine@${'3'.repeat(12)}`)?.id).toBe(TWO)
  expect(view.chooseModel(`net@${'4'.repeat(12)}`)).toEqual({ kind: 'absent' })
})

test('what a guest calls a model that others own too is no name of it', () => {
  const view = open()
  view.addGuest(C)
  view.heard(B, state(B, { models: [owns(OLD)] }))
  view.heard(C, state(C, { models: [owns(OLD, 1n, 'net-17')] }))
  expect(view.models.namesOf(OLD)).toEqual(['net'])
})

test('a guest that says it owns what another has signed is not believed: not for its name, and not to keep it', () => {
  const view = open()
  view.addGuest(C)
  view.heard(C, state(C, { models: [owns(OLD, 99n, 'evil')] }))
  expect([named(view, A, 'evil'), view.models.owners(OLD)]).toEqual([undefined, []])
  view.heard(B, state(B, { models: [owns(OLD)] }))
  view.heard(B, state(B, { goneModels: [OLD] }))
  expect(view.models.isGone(OLD)).toBe(true)
  view.heard(C, state(C, { models: [owns(OLD, 100n)] }))
  expect(view.models.isGone(OLD)).toBe(true)
})

test('a guest owns the model that it has brought', () => {
  const view = open()
  const own = modelId('3'.repeat(64))
  view.addGuest(C)
  view.addManifest({ ...manifest(own, 'own'), seal: { owner: C, signature: new Uint8Array() } })
  view.heard(C, state(C, { models: [owns(own, 1n, 'own')] }))
  expect([named(view, A, 'own'), view.models.owners(own)]).toEqual([own, [C]])
})

test('a name is pinned to who has signed the model, whatever revision another says that it has of it', () => {
  const view = open()
  view.heard(B, state(B, { models: [owns(OLD, 1n)] }))
  view.heard(C, state(C, { models: [owns(OLD, 99n)] }))
  expect(view.models.choose('net', A, new ModelPins())).toMatchObject({
    kind: 'model',
    pin: { owner: B, revision: 1n }
  })
})

test('of a model that left ten minutes ago nothing is known but that it has, unless something of it is here or used; its owner brings it back', () => {
  const view = open()
  view.heard(B, state(B, { goneModels: [OLD] }))
  expect([view.models.isGone(OLD), view.world.modelIndex(OLD)]).toEqual([true, 0])
  view.heard(C, state(C, { sources: [{ modelId: OLD }] }))
  view.forgetDeparted(seconds(1000), () => true)
  view.heard(C, state(C, {}))
  view.forgetDeparted(seconds(599), () => true)
  view.forgetDeparted(seconds(1000), () => false)
  expect(view.manifest(OLD)?.id).toBe(OLD)
  view.forgetDeparted(seconds(1000), () => true)
  expect([view.manifest(OLD), view.models.isGone(OLD), view.world.modelIndex(OLD)]).toEqual([
    undefined,
    true,
    undefined
  ])
  expect(view.world.models.map(({ work }) => work.length)).toEqual([0, 1])
  // Others still may say that they carry it, and devices come and go.
  view.heard(C, state(C, { models: [carries(OLD), carries(NEW)] }))
  view.joined(deviceId('d'))
  expect([view.unknownModels(), view.carriers(OLD, 0), view.carriers(NEW, 0)]).toEqual([[], [], [C]])
  view.heard(B, state(B, { models: [owns(OLD)] }))
  expect(view.unknownModels()).toContainEqual({ model: OLD, device: B })
  view.addManifest(manifest(OLD))
  expect([named(view), view.world.modelIndex(OLD), view.carriers(OLD, 0)]).toEqual([OLD, 2, [C]])
})

test('of models that left and are forgotten 4096 are remembered as gone, the latest', () => {
  const view = open()
  const ids = Array.from({ length: 4200 }, (_, n) => modelId(String(n).padStart(64, '0')))
  for (const id of ids) {
    view.addManifest(manifest(id))
    view.dismiss(id, seconds(1))
  }
  view.forgetDeparted(seconds(700), () => true)
  expect(ids.map(id => view.models.isGone(id)).filter(Boolean)).toHaveLength(4096)
  expect([view.models.isGone(ids[0]!), view.models.isGone(ids.at(-1)!)]).toEqual([false, true])
  expect(view.models.departed()).toEqual([])
})
