import type { BlobStore } from '../runtime/network/blob-store.ts'
import { createBlobStore } from '../runtime/network/disk-blob-store.ts'
import { createIdentity, type Identity } from '../runtime/network/identity.ts'
import { decodeInvite } from '../runtime/network/invite.ts'
import { createLibp2pNetwork } from '../runtime/network/libp2p-network.ts'
import { tcpTransport } from '../runtime/network/tcp-transport.ts'
import type { Network, Role } from '../runtime/ports/network.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { rollOf } from './roll-of.ts'

export interface MemberNetwork {
  readonly network: Network
  readonly identity: Identity
  readonly blobs: BlobStore
  /** Goes where the invite says. */
  join(): void
}

export interface MemberOptions {
  /** @default 'device' */
  readonly role?: Role
  /** Of one that was there before. @default a new one */
  readonly identity?: Identity
  /** By which it comes. @default guest */
  readonly name?: string
}

/**
 * The network of a process that has the invite and need not do as devices do, on real sockets; nothing has started.
 * @param folder for blocks that it is given
 */
export const memberNetwork = async (
  invite: string,
  folder: string,
  { role = 'device', identity: known, name }: MemberOptions = {}
): Promise<MemberNetwork> => {
  const { addresses } = decodeInvite(invite)
  const identity = known ?? (await createIdentity())
  const blobs = createBlobStore({ folder })
  const network = createLibp2pNetwork({
    ...{ privateKey: identity, cluster: rollOf(invite, identity, name), listen: ['127.0.0.1:0'], mdns: false, role },
    ...{ clock: systemClock, blobStore: blobs, transports: [tcpTransport] }
  })
  return { network, identity, blobs, join: () => network.join(...addresses) }
}
