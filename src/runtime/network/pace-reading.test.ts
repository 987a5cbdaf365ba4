import type { Stream } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { paceReading } from './pace-reading.ts'

/** Of a stream of libp2p that which is used. */
class Readable extends EventTarget {
  readStatus = 'readable'
  pause(): void {
    this.readStatus = 'paused'
  }
  resume(): void {
    this.readStatus = 'readable'
  }
  brings(bytes: number): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: new Uint8Array(bytes) }))
  }
}

test('a stream that brings more than may is paused for as long as it takes, and one that ended meanwhile is left alone', async () => {
  const clock = createManualClock()
  const stream = new Readable()
  let sum = 0
  paceReading(stream as unknown as Stream, {
    clock,
    rest: bytes => {
      sum += bytes
      return seconds(sum > 100 ? 2 : 0)
    }
  })
  stream.brings(100)
  expect(stream.readStatus).toBe('readable')
  stream.brings(1)
  expect(stream.readStatus).toBe('paused')
  await clock.advance(seconds(1.9))
  expect(stream.readStatus).toBe('paused')
  await clock.advance(seconds(0.2))
  expect(stream.readStatus).toBe('readable')
  stream.brings(1)
  stream.readStatus = 'closed'
  await clock.advance(seconds(3))
  expect(stream.readStatus).toBe('closed')
})
