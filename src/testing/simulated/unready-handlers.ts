import type { NetworkHandlers } from '../../runtime/network/network.ts'

/** What a network in memory answers before its device has started it, and after it has stopped. */
export const unreadyHandlers: NetworkHandlers = {
  onTask: () => ({ kind: 'refused', because: 'this device is not ready' }),
  onRequest: () => Promise.reject(new Error('this device is not ready')),
  onNotice: () => {},
  onState: () => {},
  onPeer: () => {}
}
