import { expect, test } from 'vitest'
import { createRng } from '../src/core/rng.ts'
import { bytesPerSecond, seconds } from '../src/core/units.ts'
import { EventClock } from '../src/testing/simulated/event-clock.ts'
import { MemoryDevice } from '../src/testing/simulated/memory-device.ts'
import { MemoryHub } from '../src/testing/simulated/memory-hub.ts'
import { toyInput, toyModel } from '../src/testing/simulated/toy-model.ts'
import { deskAt } from './desk-at.ts'

/** Seconds of a request at a device of speed 1. */
const WORK = 0.02
const model = toyModel({ name: 'm', salt: 1, work: [WORK / 2, WORK / 2], weights: [1e6, 1e6], length: 4, skips: false })
const tensors = [toyInput(model, 0, 1)]

interface Client {
  readonly door: 'porch' | 'door'
  readonly name: string
  readonly weight?: number
  /** Requests that it has under way. */
  readonly inFlight: number
}

interface Share {
  /** Answers a second. */
  readonly rate: number
  /** Of an answer, at the most. */
  readonly slowest: number
}

/** Two nodes that carry nothing answer, and others of these speeds compute: real devices, in simulated time. */
const ask = async (clients: readonly Client[], speeds: readonly number[] = [1]): Promise<readonly Share[]> => {
  const clock = new EventClock()
  const wire = { latency: seconds(0.001), rate: bytesPerSecond(1e7) }
  const hub = new MemoryHub({ clock, rng: createRng('shares'), shape: () => wire })
  const workers = speeds.map(
    (speed, i) => new MemoryDevice({ hub, name: `shed${i}`, speed, models: i === 0 ? [model] : [] })
  )
  const doors = ['porch', 'door'].map(name => new MemoryDevice({ hub, name, memory: 0 }))
  for (const device of [...workers, ...doors]) void device.start()
  const desks = new Map(doors.map(door => [door.device.view.self as string, deskAt(door)]))
  await clock.run(() => clock.now() > 5)
  const [from, to] = [15, 35]
  const times = clients.map((): number[] => [])
  clients.forEach(({ door, name, weight = 1, inFlight }, c) => {
    const asking = async (): Promise<void> => {
      while (clock.now() < to) {
        const start = clock.now()
        await desks.get(door)!.compute({ model: 'm', tensors, asker: { name }, weight })
        if (clock.now() >= from && clock.now() < to) times[c]!.push(clock.now() - start)
      }
    }
    for (let i = 0; i < inFlight; i++) void asking()
  })
  await clock.run(() => clock.now() > to)
  return times.map(all => ({ rate: all.length / (to - from), slowest: Math.max(...all) }))
}

test.each([[[1]], [[1, 0.5, 0.25]]])('clients at two nodes share by weight, at devices of speeds %j', async speeds => {
  const [gate, yard] = await ask(
    [
      { door: 'porch', name: 'gate', inFlight: 32 },
      { door: 'door', name: 'yard', weight: 3, inFlight: 32 }
    ],
    speeds
  )
  expect(yard!.rate / gate!.rate).toBeGreaterThan(0.95 * 3)
  expect(yard!.rate / gate!.rate).toBeLessThan(1.05 * 3)
  expect(gate!.rate + yard!.rate).toBeGreaterThan((0.95 / WORK) * speeds.reduce((a, b) => a + b))
})

test.each(['porch', 'door'] as const)(
  'who asks for one thing at a time is not starved by who asks for 64 at once, from %s',
  async door => {
    const [greedy, modest] = await ask([
      { door: 'porch', name: 'greedy', inFlight: 64 },
      { door, name: 'modest', inFlight: 1 }
    ])
    // In one queue for all it would be 65 times the work.
    expect(modest!.slowest).toBeLessThan(10 * WORK)
    expect(modest!.rate).toBeGreaterThan(0.15 / WORK)
    expect(greedy!.rate + modest!.rate).toBeGreaterThan(0.95 / WORK)
  }
)
