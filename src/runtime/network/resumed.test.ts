import type { Stream } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { readInto } from './inlet.ts'
import { paceReading } from './pace-reading.ts'

/** Of a connection that closes while nothing is read: as libp2p has it, what is said to the other end throws then. */
class Gone extends EventTarget {
  readStatus: string = 'readable'
  pause(): void {
    this.readStatus = 'paused'
  }
  resume(): void {
    this.readStatus = 'readable'
    throw new Error('Cannot write to a stream that is closed')
  }
  get asStream(): Stream {
    return this as unknown as Stream
  }
  say(): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: new Uint8Array(1) }))
  }
}

test('who says too much and is gone before the rest is over ends nothing here', async () => {
  const clock = createManualClock()
  const rejected: unknown[] = []
  const hear = (reason: unknown): void => void rejected.push(reason)
  process.on('unhandledRejection', hear)
  const rest = () => seconds(1)
  const [read, paced] = [new Gone(), new Gone()]
  readInto(read.asStream, {
    ...{ clock, rest, feed: () => {}, heard: () => {}, onEnd: () => {} },
    onBroken: () => expect.unreachable()
  })
  paceReading(paced.asStream, { clock, rest })
  for (const stream of [read, paced]) stream.say()
  expect([read.readStatus, paced.readStatus]).toEqual(['paused', 'paused'])
  await clock.advance(seconds(2))
  await new Promise(resolve => setImmediate(resolve))
  process.off('unhandledRejection', hear)
  expect([read.readStatus, paced.readStatus]).toEqual(['readable', 'readable'])
  expect(rejected).toEqual([])
})
