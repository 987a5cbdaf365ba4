import { PING_EVERY } from '../../cluster/rhythm.ts'
import { type Seconds, seconds } from '../../core/units.ts'

/** Of one peer, seconds each. */
export interface PeerQuiet {
  /** Since a frame of a task passed, either way. */
  readonly sinceFrame: Seconds
  /** Since anything came from it. */
  readonly silence: Seconds
  readonly sinceAsked: Seconds
}

/** Per second, to all peers together, unless that made it less than one a second to each. */
const MOST_PINGS = 20
/** Where no frame has passed for so long only signs of life are needed, from either side: its ping answers for ours. */
const IDLE_AFTER: Seconds = seconds(10)
const IDLE_SILENCE: Seconds = seconds(1)

/**
 * Whether to ask a peer now if it is there. On a link in use often, for its round trip; on an idle one only after a silence that leaves
 * it more than half of the time in which it must be heard.
 */
export const isPingDue = ({ sinceFrame, silence, sinceAsked }: PeerQuiet, peers: number): boolean => {
  if (sinceFrame > IDLE_AFTER) return silence >= IDLE_SILENCE
  // Of many peers each says that it lives by its reports; round trips can be measured more slowly.
  return sinceAsked >= Math.min(IDLE_SILENCE, Math.max(PING_EVERY, peers / MOST_PINGS))
}
