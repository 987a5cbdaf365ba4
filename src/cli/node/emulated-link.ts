import { parseRate, parseTime } from '../../core/parse-quantity.ts'
import type { BytesPerSecond, Seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'

export interface EmulatedLink {
  /** The name of the device at the other end; `*` for all that are not named. */
  readonly peer: string
  readonly rate: BytesPerSecond
  readonly latency: Seconds
}

/** "shed=20Mbps,5ms" or "*=50Mbps,3ms". @throws UserError with an example */
export const parseEmulatedLink = (text: string): EmulatedLink => {
  const match = /^([^=]+)=([^,]+)(?:,(.+))?$/.exec(text)
  if (match === null) {
    throw new UserError(
      `--emulate-link "${text}" is not PEER=RATE[,LATENCY]; write for example --emulate-link "*=50Mbps,3ms"`
    )
  }
  const [, peer, rate, latency = '0ms'] = match
  try {
    return { peer: peer!, rate: parseRate(rate!), latency: parseTime(latency) }
  } catch (error) {
    throw new UserError(`--emulate-link "${text}": ${(error as Error).message}`)
  }
}
