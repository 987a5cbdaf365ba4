import { type Identity, peerIdOf } from '../runtime/network/identity.ts'
import { decodeInvite } from '../runtime/network/invite.ts'
import { ClusterRoll } from '../runtime/network/members/cluster-roll.ts'
import { wallTime } from '../runtime/system-clock.ts'

/** Of a process that comes with an invite and keeps nothing. */
export const rollOf = (invite: string, identity: Identity, name = 'guest'): ClusterRoll => {
  const decoded = decodeInvite(invite)
  const footing =
    'key' in decoded
      ? ({ kind: 'holder', key: decoded.key } as const)
      : ({ kind: 'invited', ticket: decoded.ticket } as const)
  return new ClusterRoll({ self: peerIdOf(identity), name, footing, wallTime })
}
