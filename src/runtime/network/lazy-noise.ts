import type { NoiseComponents } from '@chainsafe/libp2p-noise'
import type { ConnectionEncrypter } from '@libp2p/interface'

/**
 * Noise, loaded with the first connection that speaks it: no device of ours does where the other side speaks TLS, and its ciphers
 * are WebAssembly and tables that a device would keep in memory.
 *
 * Specification: https://github.com/libp2p/specs/blob/master/noise/README.md
 */
export const lazyNoise = (components: NoiseComponents): ConnectionEncrypter => {
  let loaded: Promise<ConnectionEncrypter> | undefined
  const noise = (): Promise<ConnectionEncrypter> => {
    loaded ??= import('@chainsafe/libp2p-noise').then(library => library.noise()(components))
    return loaded
  }
  return {
    protocol: '/noise',
    secureInbound: async (...how) => (await noise()).secureInbound(...how),
    secureOutbound: async (...how) => (await noise()).secureOutbound(...how)
  }
}
