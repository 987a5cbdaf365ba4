import { parseRate, parseTime } from '../core/parse-quantity.ts'
import { type BytesPerSecond, bytesPerSecond, type Seconds, seconds } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'

export interface EmulatedLink {
  /** The name of the device at the other end; `*` for all that are not named. */
  readonly peer: string
  readonly rate: BytesPerSecond
  readonly latency: Seconds
  /** False: no data travel to that device directly. */
  readonly exists: boolean
  /** Where the arbiter of the shared medium listens, host:port; undefined for a link of its own. */
  readonly medium: string | undefined
}

/** "shed=20Mbps,5ms" or "*=50Mbps,3ms". @throws UserError with an example */
export const parseEmulatedLink = (text: string): EmulatedLink => {
  const none = /^([^=]+)=none$/.exec(text)
  if (none !== null)
    return { peer: none[1]!, rate: bytesPerSecond(1), latency: seconds(0), exists: false, medium: undefined }
  const match = /^([^=]+)=([^,]+)(?:,([^,]+))?(?:,medium=(.+))?$/.exec(text)
  if (match === null) {
    throw new UserError(
      `emulate-link "${text}" is not PEER=RATE[,LATENCY][,medium=HOST:PORT] or PEER=none; write for example *=50Mbps,3ms`
    )
  }
  const [, peer, rate, latency = '0ms', medium] = match
  try {
    return { peer: peer!, rate: parseRate(rate!), latency: parseTime(latency), exists: true, medium }
  } catch (error) {
    throw new UserError(`emulate-link "${text}": ${(error as Error).message}`)
  }
}
