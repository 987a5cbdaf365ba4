import type { ClusterKey } from '../runtime/network/cluster-key.ts'
import { encodeInvite, inviteAddresses } from '../runtime/network/invite.ts'
import type { Network } from '../runtime/ports/network.ts'

/** What others join with: at this device, or, where nobody can dial it, at the devices that it is connected to. */
export const currentInvite = (
  key: ClusterKey,
  network: Pick<Network, 'addresses' | 'peers' | 'acquaintances'>
): string => {
  const own = network.addresses()
  const peers = network.peers()
  const others = [...network.acquaintances()].flatMap(([id, known]) => (peers.get(id) === 'device' ? [known] : []))
  return encodeInvite({ key, addresses: inviteAddresses(own, own.length === 0 ? others : []) })
}
