import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { bytesPerSecond, seconds } from '../core/units.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { watchProcessors } from '../testing/watch-processors.ts'
import { openMediumArbiter } from './medium-arbiter.ts'
import { createMediumClient } from './medium-client.ts'
import { Pacer } from './pacer.ts'

const LINK = { rate: bytesPerSecond(2.5e6), latency: seconds(0.003) } // 20 Mbit/s
const SIZE = 600_000

/**
 * Send so many frames one after another. @returns seconds of each, from when it was asked for until it had arrived. A busy
 * machine is late with some: what none can do without, the least of them shows.
 */
const send = async (address: string, frames: number): Promise<readonly number[]> => {
  const medium = createMediumClient(address, systemClock)
  const pacer = new Pacer(systemClock)
  const { signal } = new AbortController()
  const took: number[] = []
  for (let i = 0; i < frames; i++) {
    const start = systemClock.now()
    const { departs, arrives } = await pacer.bookMedium(SIZE, LINK, medium)
    await pacer.until(arrives, signal)
    took.push(systemClock.now() - start)
    expect(arrives - departs).toBeCloseTo(LINK.latency, 9)
  }
  return took
}

test('600 KB at 20 Mbit/s and 3 ms, alone and with two sharing the medium: within 5 %', async context => {
  const processors = watchProcessors()
  await using arbiter = await openMediumArbiter(systemClock)
  const alone = Math.min(...(await send(arbiter.address, 5))) / (0.24 + 0.003)
  expect(alone).toBeGreaterThan(0.95)
  // Each has every second turn; the first of one of them does not wait for the other's.
  const both = await Promise.all([send(arbiter.address, 5), send(arbiter.address, 5)])
  const leasts: number[] = []
  for (const took of both) {
    const [least, , middle] = took
      .slice(1)
      .map(time => time / (2 * 0.24))
      .sort((a, b) => a - b)
    leasts.push(least!)
    expect(middle).toBeGreaterThan(0.95)
  }
  expect(arbiter.busy()).toBeCloseTo(15 * 0.24, 6)
  processors.inTime(context, () => expect(Math.max(alone, ...leasts)).toBeLessThan(1.05))
})

test('a device that dies in the middle of a word takes nobody with it', async () => {
  await using arbiter = await openMediumArbiter(systemClock)
  const [host, port] = arbiter.address.split(':')
  const dying = connect({ host: host!, port: Number(port) })
  await once(dying, 'connect')
  dying.write('{"id":1,"link":0,"takes":0.01}\n{"id":2,"ta')
  await once(dying, 'data')
  dying.resetAndDestroy()
  const medium = createMediumClient(arbiter.address, systemClock)
  await medium.reserve(seconds(0.01), 0)
  expect(arbiter.busy()).toBeCloseTo(0.02, 9)
})

test('a frame that takes weeks has its air; who comes after it waits until then, or until the emulation ends', async () => {
  const arbiter = await openMediumArbiter(systemClock)
  const medium = createMediumClient(arbiter.address, systemClock)
  const takes = seconds(3e6) // 1 MB at 2.7 bit/s, and longer than a timer can be set to
  expect((await medium.reserve(takes, 0)) - systemClock.now()).toBeLessThan(1)
  let isGranted = false
  const second = medium.reserve(takes, 0).then(() => {
    isGranted = true
  })
  const other = createMediumClient(arbiter.address, systemClock)
  const third = other.reserve(seconds(0.001), 0)
  expect([arbiter.busy(), isGranted]).toEqual([3e6, false])
  await arbiter[Symbol.asyncDispose]()
  await Promise.all([second, third])
})
