import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { fingerprintOf } from '../../core/model-reference.ts'
import { createRng } from '../../core/rng.ts'
import { bytesPerSecond, seconds } from '../../core/units.ts'
import { CarriedModelSchema } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import { EventClock } from './event-clock.ts'
import { MemoryDevice, type MemoryDeviceOptions } from './memory-device.ts'
import { MemoryHub } from './memory-hub.ts'
import { memoryNames, type NamesDisk } from './memory-names.ts'
import type { MemorySource } from './memory-source.ts'
import { type ToyModel, textOf, toyAnswer, toyInput, toyModel, valuesOf } from './toy-model.ts'

// A member that offers another model by an honest one's name.

const modelNamed = (name: string, salt: number): ToyModel =>
  toyModel({ name, salt, work: [0.1, 0.1], weights: [1e6, 1e6], length: 8, skips: false })
const honest = modelNamed('net', 1)
const evil = modelNamed('net', 2)
const newer = modelNamed('newer', 3)

const DATA = 20
const items = () =>
  Array.from({ length: DATA }, (_, datum) => ({
    type: 'int32',
    dims: [1, 8],
    data: [...valuesOf(toyInput(honest, 0, datum))]
  }))
const answersOf = (model: ToyModel) => items().map((_, datum) => toyAnswer(model, 0, datum))
const answers = ({ outcomes }: MemorySource) =>
  outcomes
    .toSorted((a, b) => a.datum - b.datum)
    .map(outcome => {
      if (outcome.kind !== 'result') return outcome
      const { type, dims, data } = outcome.outputs.x2!
      return textOf({ name: 'x2', type, dims, data: new Uint8Array((data as Int32Array<ArrayBuffer>).buffer) })
    })

const open = () => {
  const clock = new EventClock()
  const hub = new MemoryHub({
    ...{ clock, rng: createRng('pins') },
    shape: () => ({ latency: seconds(0.002), rate: bytesPerSecond(1e6) })
  })
  const events: { readonly event: string; readonly [key: string]: unknown }[] = []
  const disk: NamesDisk = { names: undefined }
  const start = ({ parts, ...options }: Omit<MemoryDeviceOptions, 'hub'>): MemoryDevice => {
    const device = new MemoryDevice({ hub, ...options, parts: { event: event => events.push(event), ...parts } })
    void device.start()
    return device
  }
  /** Owns nothing; what it has used is kept for its next start. */
  const startPorch = (accepts: readonly string[] = []): MemoryDevice =>
    start({ name: 'porch', parts: { keptPins: memoryNames(disk), accepts } })
  const until = async (holds: () => boolean, most: number): Promise<void> => {
    const end = clock.now() + most
    await clock.run(() => holds() || clock.now() > end)
  }
  const feed = (device: MemoryDevice, name: string, model = 'net') =>
    device.addSource({ name, model, items: items(), window: 4 })
  return { clock, events, start, startPorch, until, feed }
}

test('who offers another model by a name that was used here is refused, before its owner comes as after; the owner is waited for', async () => {
  const { events, start, startPorch, until, feed } = open()
  const owner = start({ name: 'owner', models: [honest] })
  const first = startPorch()
  const before = feed(first, 'before')
  await until(() => before.isDone, 30)
  expect(answers(before)).toEqual(answersOf(honest))
  const pinned = `model net is net@${fingerprintOf(honest.manifest.id)}, offered by owner: pinned`
  expect(first.said.filter(text => text.includes('pinned'))).toEqual([pinned])
  owner.kill()
  first.kill()
  await until(() => false, 5)
  start({ name: 'mallory', models: [evil] })
  const porch = startPorch()
  const door = feed(porch, 'door')
  await until(() => false, 60)
  expect(door.outcomes).toEqual([])
  const refusal = `model net is pinned to net@${fingerprintOf(honest.manifest.id)} of owner, which is not there; mallory offers net@${fingerprintOf(evil.manifest.id)}, which is refused`
  const of = (text: string) => text.replace('of owner,', 'of owner,')
  expect(porch.said.filter(text => of(text).startsWith('model net is pinned to'))).toHaveLength(1)
  expect(porch.said.find(text => text.startsWith('model net is pinned to'))).toContain(refusal)
  expect(porch.device.ownSources()[0]).toMatchObject({ state: 'waiting', because: expect.stringContaining(refusal) })
  expect(events.filter(({ event }) => event === 'modelRefused')).toMatchObject([{ name: 'net', level: 'warn' }])
  start({ name: 'owner', models: [honest] })
  await until(() => door.isDone, 60)
  expect(answers(door)).toEqual(answersOf(honest))
})

test('a fingerprint says which model is meant from the first use on, in a source or for the whole device', async () => {
  const { start, startPorch, until, feed } = open()
  start({ name: 'mallory', models: [evil] })
  const exact = `net@${honest.manifest.id.slice(0, 12)}`
  const porch = startPorch([exact])
  const [named, bare] = [feed(porch, 'named', exact), feed(porch, 'bare')]
  await until(() => false, 30)
  expect([...named.outcomes, ...bare.outcomes]).toEqual([])
  start({ name: 'owner', models: [honest] })
  await until(() => named.isDone && bare.isDone, 60)
  expect([answers(named), answers(bare)]).toEqual([answersOf(honest), answersOf(honest)])
})

test('what is refused is used once it is named, and only there; of the name it is once it is accepted', async () => {
  const { start, startPorch, until, feed } = open()
  const owner = start({ name: 'owner', models: [honest] })
  const first = startPorch()
  const before = feed(first, 'before')
  await until(() => before.isDone, 30)
  owner.kill()
  start({ name: 'other', models: [evil] })
  const exact = `net@${evil.manifest.id}`
  const [named, bare] = [feed(first, 'named', exact), feed(first, 'bare')]
  await until(() => named.isDone && bare.isDone, 60)
  // The one that is pinned is carried here, and goes on without its owner.
  expect([answers(named), answers(bare)]).toEqual([answersOf(evil), answersOf(honest)])
  first.kill()
  const second = startPorch([exact])
  const accepted = feed(second, 'accepted')
  await until(() => accepted.isDone, 60)
  second.kill()
  const third = startPorch()
  const after = feed(third, 'after')
  await until(() => after.isDone, 60)
  expect([answers(accepted), answers(after)]).toEqual([answersOf(evil), answersOf(evil)])
})

test('its owner puts another in its place, and that is told; nobody else does, whatever number he gives it', async () => {
  const { start, startPorch, until, feed } = open()
  const owner = start({ name: 'owner', models: [honest, newer] })
  const porch = startPorch()
  const before = feed(porch, 'before')
  await until(() => before.isDone, 30)
  const mallory = start({ name: 'mallory', models: [evil] })
  await until(() => porch.device.view.manifest(evil.manifest.id) !== undefined, 10)
  const { self } = mallory.network
  const revision = 2n ** 40n
  const claim = create(CarriedModelSchema, { model: evil.manifest.id, owner: true, name: 'net', revision })
  const lie = () =>
    mallory.network.publishState({ ...mallory.device.view.state(self)!, sequence: 10_000n, models: [claim] })
  lie()
  const during = feed(porch, 'during')
  await until(() => during.isDone, 60)
  expect(answers(during)).toEqual(answersOf(honest))
  await owner.device.updateModel({ name: 'net', file: newer.manifest.id })
  await until(() => porch.said.some(text => text.includes('in place of')), 30)
  const after = feed(porch, 'after')
  await until(() => after.isDone, 60)
  expect(answers(after)).toEqual(answersOf(newer))
  const [from, to] = [honest, newer].map(({ manifest }) => fingerprintOf(manifest.id))
  expect(porch.said).toContain(`model net is net@${to}, offered by owner: pinned, in place of ${from}`)
})
