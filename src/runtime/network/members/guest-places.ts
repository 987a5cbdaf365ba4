import type { DeviceId } from '../../../core/ids.ts'
import type { Member } from '../admission.ts'

/** Of one member, that look or ask here at once. */
export const MOST_BY_MEMBER = 8
/** By one invite that is for any and good many times: several people may have it. */
export const MOST_BY_TICKET = 32

/**
 * Whether one more may come in that looks or asks. Those with a key of the cluster of their own are not counted: who has that
 * may let in as many devices as it likes.
 * @param here those that are in
 */
export const hasGuestPlace = ({ peer, role, vouchedBy, ticket }: Member, here: Iterable<Member>): boolean => {
  if (role === 'device' || (vouchedBy === undefined && ticket === undefined)) return true
  const alike = new Set<DeviceId>()
  for (const other of here)
    if (other.peer !== peer && other.role !== 'device' && other.vouchedBy === vouchedBy && other.ticket === ticket)
      alike.add(other.peer)
  return alike.size < (vouchedBy === undefined ? MOST_BY_TICKET : MOST_BY_MEMBER)
}
