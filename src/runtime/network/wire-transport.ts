import type { Multiaddr } from '@multiformats/multiaddr'
import type { Libp2pOptions } from 'libp2p'

/** A way over which devices reach each other, of those that this build has. */
export interface WireTransport {
  /** What its addresses have after the host, for people: /tcp. */
  readonly name: string
  readonly transport: NonNullable<Libp2pOptions['transports']>[number]
  /** Whether it can dial, and listen at, such an address. */
  speaks(address: Multiaddr): boolean
}
