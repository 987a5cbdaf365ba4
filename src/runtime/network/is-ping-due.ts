import { PING_EVERY } from '../../cluster/rhythm.ts'
import { type Seconds, seconds } from '../../core/units.ts'

/** Of one peer, seconds each. */
export interface PeerQuiet {
  /** Since a frame of a task passed, either way. */
  readonly sinceFrame: Seconds
  /** Since anything came from it. */
  readonly silence: Seconds
  readonly sinceAsked: Seconds
  /** It is this device's to notice that it is gone. */
  readonly isWatched: boolean
  /** It has been sent what it has not answered. */
  readonly isOwed: boolean
}

/** Per second, to all peers together on whose links frames pass. */
const MOST_PINGS = 20
/** And to those on whose links none do and that others watch. */
const MOST_IDLE_PINGS = 2
/** Where no frame has passed for so long only signs of life are needed, from either side: its ping answers for ours. */
const IDLE_AFTER: Seconds = seconds(10)
const IDLE_SILENCE: Seconds = seconds(1)

/**
 * Whether to ask a peer now if it is there. On a link in use often, for its round trip; on an idle one only after a silence that leaves
 * it half of the time in which it must be heard. Of many peers each says that it lives by its reports, and is watched by a few:
 * the others ask it more seldom the more they are.
 */
export const isPingDue = ({ sinceFrame, silence, sinceAsked, ...peer }: PeerQuiet, peers: number): boolean => {
  // One that has not answered is asked until it does, or counts as gone.
  const isOwed = peer.isWatched || silence > sinceAsked || (peer.isOwed && silence >= IDLE_SILENCE)
  if (sinceFrame <= IDLE_AFTER) {
    const pause = Math.max(PING_EVERY, peers / MOST_PINGS)
    return sinceAsked >= (isOwed ? Math.min(IDLE_SILENCE, pause) : pause)
  }
  return isOwed ? silence >= IDLE_SILENCE && sinceAsked >= PING_EVERY : sinceAsked >= peers / MOST_IDLE_PINGS
}
