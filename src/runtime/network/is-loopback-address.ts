/** Whether a multiaddr leads to this machine over no wire. */
export const isLoopbackAddress = (address: string): boolean => /^\/ip4\/127\.|^\/ip6\/::1(\/|$)/.test(address)
