import { type Seconds, seconds } from '../core/units.ts'
import { encodeInvite, inviteAddresses } from '../runtime/network/invite.ts'
import type { ClusterRoll } from '../runtime/network/members/cluster-roll.ts'
import type { Network } from '../runtime/ports/network.ts'

/** What an invite is good for. */
export interface InviteTerms {
  /** The only device that may join with it. @default any */
  readonly name?: string | undefined
  /** @default INVITE_LASTS */
  readonly lasts?: Seconds | undefined
  /** It is good for one device. @default false */
  readonly once?: boolean | undefined
}

/** Of an invite of which nothing else is said. */
export const INVITE_LASTS: Seconds = seconds(24 * 3600)

/**
 * What others join with: at this device, or, where nobody can dial it, at the devices that it is connected to.
 * @throws UserError `mayNotAdmit` where this device does not hold the cluster's key
 */
export const currentInvite = (
  roll: ClusterRoll,
  network: Pick<Network, 'addresses' | 'peers' | 'acquaintances'>,
  { name = '', lasts = INVITE_LASTS, once = false }: InviteTerms = {}
): string => {
  const own = network.addresses()
  const peers = network.peers()
  const others = [...network.acquaintances()].flatMap(([id, known]) => (peers.get(id) === 'device' ? [known] : []))
  const addresses = inviteAddresses(own, own.length === 0 ? others : [])
  return encodeInvite({ ticket: roll.ticket({ name, lasts, once }), addresses })
}
