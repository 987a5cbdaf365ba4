import { expect, test } from 'vitest'
import { createRng } from '../../core/rng.ts'
import { bytesPerSecond, seconds } from '../../core/units.ts'
import { EventClock } from './event-clock.ts'
import { MemoryDevice } from './memory-device.ts'
import { MemoryHub } from './memory-hub.ts'
import { toyModel } from './toy-model.ts'

const net = toyModel({ name: 'net', salt: 1, work: [0.05, 0.05], weights: [1e6, 1e6], length: 8, skips: false })

/** Devices that have joined, placed a model and come to rest, and what each says from then on. */
const idleCluster = async (size: number, gossipLoss = 0) => {
  const clock = new EventClock()
  const wire = { latency: seconds(0.002), rate: bytesPerSecond(1e6) }
  const hub = new MemoryHub({ clock, rng: createRng('idle'), shape: () => wire, gossipLoss })
  const said = { states: 0, notices: 0 }
  const devices = Array.from({ length: size }, (_, n) => {
    const device = new MemoryDevice({ hub, name: `device${n}`, models: n === 0 ? [net] : [] })
    const { network } = device
    const [publish, notify] = [network.publishState.bind(network), network.notify.bind(network)]
    network.publishState = state => {
      said.states++
      publish(state)
    }
    network.notify = (to, notice) => {
      said.notices++
      notify(to, notice)
    }
    void device.start()
    return device
  })
  const until = (instant: number): Promise<void> => clock.run(() => clock.now() >= instant)
  await until(60)
  return { clock, hub, said, devices, until }
}

const LASTS = 120

test('in a cluster where nothing happens each device speaks some twelve times a minute', async () => {
  const { clock, said, devices, until } = await idleCluster(4)
  expect(devices.every(({ device }) => device.status().placement.ready)).toBe(true)
  const [before, fired] = [{ ...said }, clock.fired]
  await until(60 + LASTS)
  const perDevice = (count: number): number => count / devices.length / (LASTS / 60)
  expect(perDevice(said.states - before.states)).toBeLessThanOrEqual(6.5)
  // To each of three others.
  expect(perDevice(said.notices - before.notices)).toBeLessThanOrEqual(3 * 6.5)
  // Whatever wakes a device: what it looks after twice a second, and what it hears.
  expect(perDevice(clock.fired - fired) / 60).toBeLessThan(8)
})

test('and the first datum after a long rest goes its way at once', async () => {
  const { clock, devices, until } = await idleCluster(4)
  const begun = clock.now()
  const source = devices[1]!.addSource({
    name: 'cam',
    model: 'net',
    items: [{ type: 'int32', dims: [1, 8], data: [1, 2, 3, 4, 5, 6, 7, 8] }]
  })
  await clock.run(() => source.outcomes.length === 1 || clock.now() > begun + 5)
  expect(source.outcomes).toMatchObject([{ kind: 'result' }])
  // A tick, and a tenth of a second of computing.
  expect(clock.now() - begun).toBeLessThan(0.4)
  await until(clock.now())
})

/** Of a device with a source that comes to a cluster at rest: seconds until its first result, and until it has computed a block. */
const joined = async (size: number, gossipLoss: number) => {
  const { clock, hub, devices } = await idleCluster(size, gossipLoss)
  const begun = clock.now()
  const comer = new MemoryDevice({ hub, name: 'comer', speed: 4 })
  void comer.start()
  const items = Array.from({ length: 500 }, () => ({ type: 'int32', dims: [1, 8], data: [1, 2, 3, 4, 5, 6, 7, 8] }))
  const source = comer.addSource({ name: 'cam', model: 'net', items, every: 0.02 })
  const reached = async (what: () => boolean): Promise<number> => {
    await clock.run(() => what() || clock.now() > begun + 10)
    return clock.now() - begun
  }
  const isServing = (): boolean =>
    comer.device.status().devices.some(({ name, tasks }) => name === 'comer' && tasks > 0)
  const result = await reached(() => source.outcomes.length > 0)
  return { result, served: await reached(isServing), devices }
}

test('a device that comes to a cluster at rest has a result at once, and soon serves a block', async () => {
  const { result, served, devices } = await joined(3, 0)
  expect(result).toBeLessThan(0.8)
  expect(served).toBeLessThan(1.2)
  expect(devices.every(({ device }) => device.status().devices.length === 4)).toBe(true)
})

test('also where gossip brings it nothing: who connects is told', async () => {
  const { result } = await joined(1, 1)
  expect(result).toBeLessThan(1.2)
})
