import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { bytesPerSecond, seconds } from '../../core/units.ts'
import { systemClock } from '../system-clock.ts'
import { openMediumArbiter } from './medium-arbiter.ts'
import { createMediumClient } from './medium-client.ts'
import { Pacer } from './pacer.ts'

const LINK = { rate: bytesPerSecond(2.5e6), latency: seconds(0.003) } // 20 Mbit/s
const SIZE = 600_000

/** Send so many frames one after another. @returns when the last arrived */
const send = async (address: string, frames: number): Promise<number> => {
  const medium = createMediumClient(address, systemClock)
  const pacer = new Pacer(systemClock)
  let arrived = 0
  for (let i = 0; i < frames; i++) {
    const { departs, arrives } = await pacer.bookMedium(SIZE, LINK, medium)
    await pacer.until(departs, new AbortController().signal)
    arrived = arrives
  }
  return arrived
}

test('600 KB at 20 Mbit/s and 3 ms, alone and with two sharing the medium: within 5 %', { retry: 2 }, async () => {
  await using arbiter = await openMediumArbiter(systemClock)
  const start = systemClock.now()
  const alone = (await send(arbiter.address, 3)) - start
  expect(alone / (3 * 0.24 + 0.003)).toBeGreaterThan(0.95)
  expect(alone / (3 * 0.24 + 0.003)).toBeLessThan(1.05)
  const together = systemClock.now()
  const ends = await Promise.all([send(arbiter.address, 3), send(arbiter.address, 3)])
  const shared = (Math.max(...ends) - together) / (6 * 0.24 + 0.003)
  expect(shared).toBeGreaterThan(0.95)
  expect(shared).toBeLessThan(1.05)
  expect(arbiter.busy()).toBeCloseTo(9 * 0.24, 6)
})

test('a device that dies in the middle of a word takes nobody with it', async () => {
  await using arbiter = await openMediumArbiter(systemClock)
  const [host, port] = arbiter.address.split(':')
  const dying = connect({ host: host!, port: Number(port) })
  await once(dying, 'connect')
  dying.write('{"id":1,"takes":0.01}\n{"id":2,"ta')
  await once(dying, 'data')
  dying.resetAndDestroy()
  const medium = createMediumClient(arbiter.address, systemClock)
  await medium.reserve(seconds(0.01))
  expect(arbiter.busy()).toBeCloseTo(0.02, 9)
})
