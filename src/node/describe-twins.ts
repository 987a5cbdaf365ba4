import { join } from 'node:path'
import type { DeviceId } from '../core/ids.ts'
import type { Twins } from '../runtime/network/incarnation-book.ts'

export interface TwinsContext {
  readonly self: DeviceId
  /** The state folder of this device. */
  readonly state: string
  /** Empty where it has not said. */
  readonly nameOf: (peer: DeviceId) => string
}

/** What to say where two devices have one identity: to the one that goes, what is to be done; to others, which it is. */
export const describeTwins = ({ peer, stays, goes }: Twins, { self, state, nameOf }: TwinsContext): string => {
  const name = nameOf(peer)
  if (peer !== self)
    return `two devices have the identity ...${peer.slice(-8)}${name === '' ? '' : ` (${name})`}, one at ${stays.address} and one at ${goes.address}: the state folder of one is a copy of the other's. The one at ${goes.address} is left out until identity.key is removed from its state folder`
  if (stays.address === 'this device')
    return `another device, at ${goes.address}, has the identity of this one: its state folder is a copy of ${state} or the other way round. This one stays; the other is left out until identity.key is removed from its state folder`
  return `another device, at ${stays.address}, has the identity of this one: ${state} is a copy of its state folder or the other way round, and this device is left out of the cluster. Stop it, remove ${join(state, 'identity.key')}, start it again, with an invite unless it holds the cluster's key: it makes itself a new one`
}
