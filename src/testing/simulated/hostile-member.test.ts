import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { createRng } from '../../core/rng.ts'
import { bytesPerSecond, seconds } from '../../core/units.ts'
import { notice } from '../../runtime/device/notice.ts'
import { TaskSchema } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import { EventClock } from './event-clock.ts'
import { MemoryDevice, type MemoryDeviceOptions } from './memory-device.ts'
import { MemoryHub } from './memory-hub.ts'
import type { MemorySource } from './memory-source.ts'
import { textOf, toyAnswer, toyInput, toyModel, valuesOf } from './toy-model.ts'

const net = toyModel({ name: 'net', salt: 1, work: [0.1, 0.1], weights: [1e6, 1e6], length: 8, skips: false })

const DATA = 20

const items = () =>
  Array.from({ length: DATA }, (_, datum) => ({
    type: 'int32',
    dims: [1, 8],
    data: [...valuesOf(toyInput(net, 0, datum))]
  }))

const answers = ({ outcomes }: MemorySource) =>
  outcomes
    .toSorted((a, b) => a.datum - b.datum)
    .map(outcome => {
      if (outcome.kind !== 'result') return outcome
      const { type, dims, data } = outcome.outputs.x2!
      return textOf({ name: 'x2', type, dims, data: new Uint8Array((data as Int32Array<ArrayBuffer>).buffer) })
    })

const right = items().map((_, datum) => toyAnswer(net, 0, datum))

const open = () => {
  const clock = new EventClock()
  const hub = new MemoryHub({
    ...{ clock, rng: createRng('hostile') },
    shape: () => ({ latency: seconds(0.002), rate: bytesPerSecond(1e6) })
  })
  const start = (options: Omit<MemoryDeviceOptions, 'hub'>): MemoryDevice => {
    const device = new MemoryDevice({ hub, ...options })
    void device.start()
    return device
  }
  return { clock, start }
}

const unprovenAt = ({ device }: MemoryDevice): number =>
  device.status().devices.find(({ id }) => id === device.view.self)!.counters.unproven

test('results of a member that was never given a datum are not believed, counted and said', async () => {
  const { clock, start } = open()
  const porch = start({ name: 'porch', models: [net] })
  const mallory = start({ name: 'mallory', memory: 0 })
  await clock.run(() => porch.device.status().devices.length === 2 && clock.now() > 3)
  const door = porch.addSource({ name: 'door', items: items(), window: 4 })
  const { self } = porch.network
  let sent = 0
  for (let round = 0; !door.isDone; round++) {
    for (let datum = 0; datum < DATA; datum++) {
      const forged = create(TaskSchema, {
        ...{ source: `door@${self}`, datum: BigInt(datum), model: net.manifest.id, home: self, done: 2, weight: 1 },
        ...{ attempt: 1 + (round % 2), token: new Uint8Array(round % 3 === 0 ? 0 : 16) }
      })
      const tensor = { ...toyInput(net, 0, datum), name: 'x2' }
      mallory.network.sendTask(self, forged, [tensor]).answered.catch(() => {})
      sent++
    }
    const until = clock.now() + 0.2
    await clock.run(() => clock.now() > until)
  }
  expect(answers(door)).toEqual(right)
  expect(unprovenAt(porch)).toBeGreaterThan(sent / 2)
  expect(porch.said.filter(text => text.includes('mallory sent a result of datum'))).toHaveLength(1)
})

test('of a datum that it was not given, a member can say neither that it failed nor that it is lost nor that it has it', async () => {
  const { clock, start } = open()
  const porch = start({ name: 'porch', models: [net] })
  const mallory = start({ name: 'mallory', memory: 0 })
  await clock.run(() => porch.device.status().devices.length === 2 && clock.now() > 3)
  const door = porch.addSource({ name: 'door', items: items(), window: 4 })
  const { self } = porch.network
  while (!door.isDone) {
    for (let datum = 0; datum < DATA; datum++) {
      const about = { source: `door@${self}`, datum: BigInt(datum), attempt: 1, token: new Uint8Array(16) }
      mallory.network.notify(self, notice('failure', { ...about, device: self, block: 0, because: 'no' }))
      mallory.network.notify(self, notice('lost', { ...about, device: mallory.network.self }))
      mallory.network.notify(self, notice('custody', { ...about, done: 1 }))
    }
    const until = clock.now() + 0.2
    await clock.run(() => clock.now() > until)
  }
  expect(answers(door)).toEqual(right)
  expect(porch.device.ownSources()[0]).toMatchObject({ resent: 0, failed: 0, lost: 0 })
  expect(porch.device.status().setAside).toEqual([])
})
