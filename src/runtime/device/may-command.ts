import type { DeviceId } from '../../core/ids.ts'
import type { Network } from '../ports/network.ts'

/** Why not, for who asked and may not. */
export const MAY_NOT_COMMAND =
  "only who holds the cluster's key may do that, or who asks the device itself on its own machine"

/**
 * Whether a peer may have a device stop, read its config again or give up a model: what it asks of this one for another
 * counts as this one's word there, so for that it must hold the key itself.
 */
export const mayCommand = (
  network: Pick<Network, 'self' | 'rightOf'>,
  asker: DeviceId,
  device: DeviceId = network.self
): boolean => {
  const right = network.rightOf?.(asker) ?? 'none'
  return right === 'holder' || (right === 'here' && device === network.self)
}
