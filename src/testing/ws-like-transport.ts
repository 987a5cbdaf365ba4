import type { CreateListenerOptions, Listener, Transport } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { WireTransport } from '../runtime/network/wire-transport.ts'

const isWs = (address: Multiaddr): boolean => /^\/ip4\/[^/]+\/tcp\/\d+\/ws(?:\/p2p\/[^/]+)?$/.test(`${address}`)
const bare = (address: Multiaddr): Multiaddr => multiaddr(`${address}`.replace('/ws', ''))
const asWs = (address: Multiaddr): Multiaddr => multiaddr(`${address}`.replace(/(\/tcp\/\d+)/, '$1/ws'))

/** TCP under other addresses: /ip4/.../tcp/.../ws. For what a build has or has not besides TCP. */
export const wsLikeTransport: WireTransport = {
  name: '/ws',
  speaks: isWs,
  transport: components => {
    const below = tcp()(components)
    const transport: Transport = Object.create(below, {
      dial: { value: (address: Multiaddr, options: never) => below.dial(bare(address), options) },
      dialFilter: { value: (addresses: Multiaddr[]) => addresses.filter(isWs) },
      listenFilter: { value: (addresses: Multiaddr[]) => addresses.filter(isWs) },
      createListener: { value: (options: CreateListenerOptions) => listenerOn(below.createListener(options)) },
      [Symbol.toStringTag]: { value: 'ws-like' }
    })
    return transport
  }
}

const listenerOn = (below: Listener): Listener => {
  const own = {
    listen: (address: Multiaddr) => below.listen(bare(address)),
    getAddrs: () => below.getAddrs().map(asWs)
  }
  return new Proxy(below, {
    get: (_, name) => {
      const value = name in own ? own[name as keyof typeof own] : Reflect.get(below, name, below)
      return typeof value === 'function' ? value.bind(below) : value
    }
  })
}
