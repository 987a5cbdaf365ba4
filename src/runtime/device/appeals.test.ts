import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { blockHash, type DeviceId, deviceId, modelId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { bytes, seconds } from '../../core/units.ts'
import type { Step } from '../../scheduler/policy.ts'
import { ClusterView } from '../cluster/cluster-view.ts'
import { DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { Appeals } from './appeals.ts'
import { CircuitBreaker } from './circuit-breaker.ts'

const home = deviceId('home')
const net = modelId('net')
const manifest: ModelManifest = {
  id: net,
  name: 'net',
  sha256: '',
  blocks: [0, 1].map(k => ({ sha256: blockHash(`${k}`), bytes: bytes(1), flops: 1, work: seconds(0.01) })),
  activations: [0, 1, 2].map(() => ({ bytes: bytes(4), tensors: [] })),
  inputs: [],
  outputs: []
}

/** Home carries block 0; of the others each what is said. */
const cluster = (carried: Readonly<Record<string, readonly number[]>>, pinned = false) => {
  const view = new ClusterView(home, 1)
  view.addManifest({ ...manifest, pinned })
  view.offer(net, 0, true)
  for (const [name, blocks] of Object.entries(carried)) {
    const device = deviceId(name)
    view.joined(device)
    const models = [{ model: net, owner: false, blocks: blocks.map(block => ({ block, seconds: 0.01 })) }]
    view.heard(device, create(DeviceStateSchema, { device, name, sequence: 1n, speed: 1, models }))
    view.setLink(home, device, 1e9, 0)
    view.setLink(device, home, 1e9, 0)
  }
  const breaker = new CircuitBreaker()
  const appeals = new Appeals({ view, breaker })
  const failed = (name: string, now: number, block = 1) =>
    appeals.failed(7, net, { device: deviceId(name), block, because: 'memory' }, seconds(now))
  const runs = (way: readonly Step[] | undefined, block: number): DeviceId | undefined => {
    const step = way?.find(({ until }) => until > block)
    return step === undefined ? undefined : view.world.devices[step.device]!.id
  }
  return { view, breaker, appeals, failed, runs }
}

test('a block that failed on devices that carry parts is steered to the one that has not tried it, and is not given up before', () => {
  const { appeals, failed, runs, breaker } = cluster({ a: [1], b: [1], c: [1] })
  expect(failed('a', 0).kind).toBe('again')
  expect(['b', 'c']).toContain(runs(appeals.way(7, net), 1))
  expect(failed('b', 1)).toMatchObject({ kind: 'again', setAside: undefined })
  expect([0, 1].map(k => runs(appeals.way(7, net), k))).toEqual(['home', 'c'])
  expect(failed('a', 2).kind).toBe('again') // it was on its way there
  expect(runs(appeals.way(7, net), 1)).toBe('c')
  // Computed on the third: that counts against the two.
  appeals.computed(7, net, new Set([home, deviceId('c')]), seconds(3))
  expect(['a', 'b', 'c'].map(name => breaker.isDiscredited(deviceId(name), net, seconds(3)))).toEqual([
    true,
    true,
    false
  ])
})

test('it is given up when all who carry the block have failed it, and nobody is set aside for it', () => {
  const { failed, breaker } = cluster({ a: [1], b: [1], c: [1] })
  expect(['a', 'b', 'c'].map((name, i) => failed(name, i).kind)).toEqual(['again', 'again', 'givenUp'])
  expect(breaker.setAside(seconds(3))).toEqual([])
})

test('a device with another block of the model does not count as one that was tried elsewhere when it still runs that', () => {
  const { appeals, failed, breaker } = cluster({ a: [0, 1], b: [1] })
  failed('b', 0)
  appeals.way(7, net)
  appeals.computed(7, net, new Set([home, deviceId('a')]), seconds(1))
  expect(breaker.isDiscredited(deviceId('a'), net, seconds(1))).toBe(false)
  expect(breaker.isDiscredited(deviceId('b'), net, seconds(1))).toBe(true)
})

test('where it comes back to one that failed it and there is no way to one that has not, that one is set aside', () => {
  const { view, appeals, failed } = cluster({ a: [1], b: [1] })
  view.distrust.refused(deviceId('b'), net, 1, seconds(0))
  view.review()
  expect(failed('a', 0)).toMatchObject({ kind: 'again', setAside: undefined })
  expect(appeals.way(7, net)).toBeUndefined()
  expect(failed('a', 1)).toMatchObject({ kind: 'again', setAside: { device: 'a', because: 'memory' } })
})

test('who accuses another is set aside as little as that one; who accuses two is, and those are not', () => {
  const { appeals, breaker } = cluster({ a: [1], b: [1], liar: [1] })
  const accused = (name: string, datum: number) => {
    const said = { device: deviceId(name), accuser: deviceId('liar'), block: 1, because: 'memory' }
    expect(appeals.failed(datum, net, said, seconds(1))).toMatchObject({ kind: 'again', setAside: undefined })
    appeals.way(datum, net)
    return appeals.computed(datum, net, new Set([home, deviceId(name === 'a' ? 'b' : 'a')]), seconds(1))
  }
  for (let datum = 0; datum < 9; datum++) expect(accused('a', datum)).toEqual([])
  expect(accused('b', 9).map(({ device }) => device)).toEqual(['liar'])
  expect(['a', 'b'].map(name => breaker.isDiscredited(deviceId(name), net, seconds(1)))).toEqual([false, false])
})

test('a datum goes out again past whoever accuses another too, by the other where there is nobody else', () => {
  const accuses = (appeals: Appeals, device: string, by: string, now = 0) =>
    appeals.failed(7, net, { device: deviceId(device), block: 1, because: 'x', accuser: deviceId(by) }, seconds(now))
  const all = cluster({ mallory: [0, 1], a: [1], b: [1] })
  accuses(all.appeals, 'a', 'mallory')
  expect([0, 1].map(k => all.runs(all.appeals.way(7, net), k))).toEqual(['home', 'b'])
  const two = cluster({ mallory: [0, 1], a: [1] })
  accuses(two.appeals, 'a', 'mallory')
  expect([0, 1].map(k => two.runs(two.appeals.way(7, net), k))).toEqual(['home', 'a'])
  // Another says so as well.
  accuses(two.appeals, 'a', 'c')
  expect(two.runs(two.appeals.way(7, net), 1)).toBe('mallory')
})

test('who says of this device that it has failed is itself at fault, and is set aside at the third time', () => {
  const { appeals, breaker, runs } = cluster({ mallory: [0, 1], a: [1] })
  const setAside = [1, 2, 3].flatMap(datum => {
    const failure = { device: home, block: 0, because: 'x', accuser: deviceId('mallory') }
    expect(appeals.failed(datum, net, failure, seconds(datum)).kind).toBe('again')
    expect([0, 1].map(k => runs(appeals.way(datum, net), k))).toEqual(['home', 'a'])
    return appeals.computed(datum, net, new Set([home, deviceId('a')]), seconds(datum))
  })
  expect(setAside.map(({ device }) => device)).toEqual(['mallory'])
  expect(breaker.isDiscredited(home, net, seconds(4))).toBe(false)
})

test('one that cannot be reached is not waited for', () => {
  const { view, failed } = cluster({ a: [1], b: [1] })
  const far = deviceId('far')
  view.joined(far)
  const models = [{ model: net, owner: false, blocks: [{ block: 1, seconds: 0.01 }] }]
  view.heard(far, create(DeviceStateSchema, { device: far, name: 'far', sequence: 1n, speed: 1, models }))
  expect(['a', 'b', 'a'].map((name, i) => failed(name, i).kind)).toEqual(['again', 'again', 'givenUp'])
})

test('what failed behind a pinned block is not sent to a device whole, which may not run that block', () => {
  const { view, appeals, failed, runs } = cluster({ a: [0, 1], b: [0, 1] }, true)
  view.offer(net, 1, true)
  expect(failed('a', 0).kind).toBe('again')
  expect([0, 1].map(k => runs(appeals.way(7, net), k))).toEqual(['home', 'home'])
  expect(failed('home', 1).kind).toBe('again')
  expect([0, 1].map(k => runs(appeals.way(7, net), k))).toEqual(['home', 'b'])
})

test('a datum that fails on the only device with its block, which computes others, is given up when others had time to come', () => {
  const { appeals, failed } = cluster({ a: [1] })
  for (let now = 0; now < 30; now += 5) expect(failed('a', now).kind).toBe('again')
  appeals.computed(8, net, new Set([home, deviceId('a')]), seconds(29))
  appeals.failed(9, net, { device: deviceId('a'), block: 1, because: 'memory' }, seconds(29.5))
  expect(failed('a', 30)).toEqual({ kind: 'givenUp', cause: 'memory' })
})

test('so is one that is the last: nothing else failed there since it last computed something', () => {
  const { failed } = cluster({ a: [1] })
  for (let now = 0; now < 30; now += 5) expect(failed('a', now).kind).toBe('again')
  expect(failed('a', 30).kind).toBe('givenUp')
})

test('where that device fails at everything its data wait for it to be mended, but not for ever', () => {
  const { appeals, failed } = cluster({ a: [1] })
  const other = (now: number) =>
    appeals.failed(8, net, { device: deviceId('a'), block: 1, because: 'memory' }, seconds(now))
  for (let now = 0; now < 300; now += 5) expect([failed('a', now).kind, other(now).kind]).toEqual(['again', 'again'])
  expect([failed('a', 300).kind, other(300).kind]).toEqual(['givenUp', 'givenUp'])
})
