import type { Stream } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { megabitsPerSecond, milliseconds, seconds } from '../../core/units.ts'
import { linksLike } from '../../emulation/pacer.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { FRAME_LIMITS } from './frame-limits.ts'
import { LinkMeter } from './link-meter.ts'
import { TaskSender } from './task-sender.ts'

/** A sender over a shaped link of 20 Mbit/s and 3 ms. */
const open = () => {
  const clock = createManualClock()
  const meter = new LinkMeter()
  let received = 0
  const stream = {
    writeStatus: 'writable',
    send: ({ byteLength }: Uint8Array) => {
      received += byteLength
      return true
    }
  } as Partial<Stream> as Stream
  const shaper = linksLike(clock, { rate: megabitsPerSecond(20), latency: milliseconds(3) })(deviceId('shed'))
  const sender = new TaskSender({
    clock,
    limits: FRAME_LIMITS,
    meter,
    shaper: () => shaper,
    stream: () => Promise.resolve(stream),
    drop: () => {}
  })
  const send = (size: number) => {
    const tensor = { name: '', type: 'uint8', dims: [size], data: new Uint8Array(size) } as const
    return sender.send({ case: 'probe', value: { $typeName: 'tributary.v1.Probe' } }, [tensor])
  }
  return { clock, meter, sender, send, received: () => received }
}

test('the rate of a shaped link is its own, however late this machine is with the answers, and whatever crosses it', async () => {
  for (const size of [1000, 600_000]) {
    const { clock, meter, sender, send } = open()
    meter.pong(seconds(0.006))
    const { written } = send(size)
    await clock.advance(seconds(1.5))
    await written
    sender.answer(1n, { kind: 'accepted' })
    expect(meter.measure(true)!.rate / 2.5e6).toBeCloseTo(1, 6)
  }
})

test('on a shaped link the last byte of each frame waits for its arrival, and nothing else is left to send then', async () => {
  const { clock, send, received } = open()
  const [first, second] = [send(600_000), send(600_000)]
  await clock.advance(seconds(0.241))
  const { bytes: size } = await first.written
  expect(received()).toBe(size - 1)
  await clock.advance(seconds(0.003)) // 600 KB at 20 Mbit/s take 240 ms, and there are 3 ms of latency
  expect(received()).toBe(2 * size - 1)
  await clock.advance(seconds(0.236))
  expect(received()).toBe(2 * size - 1)
  await clock.advance(seconds(0.005))
  expect(received()).toBe(2 * size)
  await second.written
})
