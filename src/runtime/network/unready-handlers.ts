import type { NetworkHandlers } from './network.ts'

/** What a network answers before its device has taken over. */
export const unreadyHandlers: NetworkHandlers = {
  onTask: () => ({ kind: 'refused', because: 'this device is not ready' }),
  onRequest: () => Promise.reject(new Error('this device is not ready')),
  onNotice: () => {},
  onState: () => {},
  onPeer: () => {}
}
