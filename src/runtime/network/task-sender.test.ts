import type { Stream } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { megabitsPerSecond, milliseconds, seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { FRAME_LIMITS } from './frame-limits.ts'
import { LinkMeter } from './link-meter.ts'
import { Pacer } from './pacer.ts'
import { TaskSender } from './task-sender.ts'

test('on an emulated link the last byte of each frame waits for its arrival, and nothing else is left to send then', async () => {
  const clock = createManualClock()
  let received = 0
  const stream = {
    writeStatus: 'writable',
    send: ({ byteLength }: Uint8Array) => {
      received += byteLength
      return true
    }
  } as Partial<Stream> as Stream
  const sender = new TaskSender({
    clock,
    limits: FRAME_LIMITS,
    meter: new LinkMeter(),
    pacer: new Pacer(clock),
    shape: () => ({ rate: megabitsPerSecond(20), latency: milliseconds(3) }),
    stream: () => Promise.resolve(stream),
    drop: () => {}
  })
  const send = () => {
    const tensor = { name: '', type: 'uint8', dims: [600_000], data: new Uint8Array(600_000) } as const
    return sender.send({ case: 'probe', value: { $typeName: 'tributary.v1.Probe' } }, [tensor])
  }
  const [first, second] = [send(), send()]
  await clock.advance(seconds(0.241))
  const { bytes: size } = await first.written
  expect(received).toBe(size - 1)
  await clock.advance(seconds(0.003)) // 600 KB at 20 Mbit/s take 240 ms, and there are 3 ms of latency
  expect(received).toBe(2 * size - 1)
  await clock.advance(seconds(0.236))
  expect(received).toBe(2 * size - 1)
  await clock.advance(seconds(0.005))
  expect(received).toBe(2 * size)
  await second.written
})
