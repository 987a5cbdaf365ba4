import { expect, test } from 'vitest'
import { createRng } from '../../core/rng.ts'
import { bytesPerSecond, seconds } from '../../core/units.ts'
import { notice } from '../../runtime/device/notice.ts'
import type { Network, NetworkHandlers } from '../../runtime/ports/network.ts'
import { EventClock } from './event-clock.ts'
import { MemoryDevice } from './memory-device.ts'
import { MemoryHub } from './memory-hub.ts'
import { toyInput, toyModel, valuesOf } from './toy-model.ts'

// A member that takes tasks and never answers, in a cluster of four.

const net = toyModel({ name: 'net', salt: 1, work: [0.1, 0.1], weights: [1e6, 1e6], length: 8, skips: false })
/** Longer than what is late waits until it is sent again. */
const SECONDS = 15
const WINDOW = 8

type Kind = 'absent' | 'silent' | 'repeats that it has them' | 'says that it is a thousand times faster'

let taken = 0

/** What arrives there is taken, and nothing is done with it. */
const swallowing = (device: MemoryDevice, kind: Exclude<Kind, 'absent'>): void => {
  const { network } = device
  const start = network.start.bind(network)
  network.start = (handlers: NetworkHandlers) =>
    start({
      ...handlers,
      onTask: ({ task }) => {
        taken++
        const { source, datum, attempt, token, home } = task
        const custody = notice('custody', { source, datum, attempt, token, done: 0 })
        const again = (): void => {
          if (device.clock.now() > SECONDS) return
          network.notify(home as Network['self'], custody)
          void device.clock.sleep(seconds(0.5)).then(again, () => {})
        }
        if (kind === 'repeats that it has them') again()
        return { kind: 'accepted' }
      }
    })
}

/** Results by second, with such a fourth device. */
const run = async (kind: Kind): Promise<readonly number[]> => {
  const clock = new EventClock()
  const hub = new MemoryHub({
    ...{ clock, rng: createRng('black hole') },
    shape: () => ({ latency: seconds(0.002), rate: bytesPerSecond(1e6) })
  })
  const names = ['alpha', 'beta', 'gamma', ...(kind === 'absent' ? [] : ['delta'])]
  const speed = kind === 'says that it is a thousand times faster' ? 1000 : 1
  const devices = names.map(
    name =>
      new MemoryDevice({
        hub,
        name,
        ...(name === 'alpha' ? { models: [net] } : {}),
        ...(name === 'delta' ? { speed } : {})
      })
  )
  const [alpha] = devices as [MemoryDevice]
  if (kind !== 'absent') swallowing(devices.at(-1)!, kind)
  // Who comes later is not one of those of whom nothing is known yet.
  const late = speed > 1 ? devices.at(-1) : undefined
  for (const device of devices) if (device !== late) void device.start()
  await clock.run(() => clock.now() > 10 && alpha.device.status().placement.ready)
  const data = Array.from({ length: 2000 }, (_, datum) => ({
    ...{ type: 'int32', dims: [1, 8], data: [...valuesOf(toyInput(net, 0, datum))] }
  }))
  const door = alpha.addSource({ name: 'door', items: data, window: WINDOW })
  const begun = clock.now()
  void late?.start()
  const done: number[] = []
  for (let second = 1; second <= SECONDS; second++) {
    await clock.run(() => clock.now() > begun + second)
    done.push(door.outcomes.length)
  }
  const { lost, failed } = alpha.device.ownSources()[0]!
  expect([lost, failed]).toEqual([0, 0])
  return done.map((count, i) => count - (done[i - 1] ?? 0))
}

let alone: Promise<readonly number[]> | undefined

test.each(['silent', 'repeats that it has them', 'says that it is a thousand times faster'] as const)(
  'who takes data and returns none (%s) does not hold up the others',
  async kind => {
    alone ??= run('absent')
    await alone
    taken = 0
    const [without, within] = [await alone, await run(kind)]
    const after = (counts: readonly number[]): number => counts.slice(2).reduce((sum, n) => sum + n, 0)
    expect(after(within)).toBeGreaterThan(0.9 * after(without))
    expect(taken).toBeGreaterThan(0)
  }
)
