import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import type { Clock } from '../../core/clock.ts'
import type { Seconds } from '../../core/units.ts'
import { resumed } from './resumed.ts'

export interface PaceParts {
  readonly clock: Clock
  /** So many bytes came. @returns for how long no more are read, and the sender has to wait */
  readonly rest: (bytes: number) => Seconds
}

/** Of a stream that somebody else reads, as fast as it comes: no more comes than may. */
export const paceReading = (stream: Stream, { clock, rest }: PaceParts): void => {
  stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
    const time = rest(data.byteLength)
    if (time <= 0 || stream.readStatus !== 'readable') return
    stream.pause()
    clock.sleep(time).then(
      () => resumed(stream),
      () => {}
    )
  })
}
