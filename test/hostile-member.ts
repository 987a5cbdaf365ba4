import { create } from '@bufbuild/protobuf'
import { ReplySchema } from '../src/runtime/generated/tributary/v1/wire_pb.ts'
import { createBlobStore } from '../src/runtime/network/disk-blob-store.ts'
import { createIdentity } from '../src/runtime/network/identity.ts'
import { decodeInvite } from '../src/runtime/network/invite.ts'
import { createLibp2pNetwork } from '../src/runtime/network/libp2p-network.ts'
import { tcpTransport } from '../src/runtime/network/tcp-transport.ts'
import { systemClock } from '../src/runtime/system-clock.ts'
import { rollOf } from '../src/testing/roll-of.ts'

/** The network of a process that has the invite and does not do as devices do, on real sockets; nothing has started. */
export const memberNetwork = async (invite: string, folder: string) => {
  const { addresses } = decodeInvite(invite)
  const identity = await createIdentity()
  const blobs = createBlobStore({ folder })
  const network = createLibp2pNetwork({
    ...{
      privateKey: identity,
      cluster: rollOf(invite, identity),
      listen: ['127.0.0.1:0'],
      mdns: false,
      role: 'device'
    },
    ...{ clock: systemClock, blobStore: blobs, transports: [tcpTransport] }
  })
  return { network, identity, blobs, join: () => network.join(...addresses) }
}

/** A member of which only `models` is known: those that others speak of. */
export const hostileMember = async (invite: string, folder: string) => {
  const models = new Set<string>()
  const { network, join } = await memberNetwork(invite, folder)
  await network.start({
    onTask: () => ({ kind: 'refused', because: 'no' }),
    onRequest: () => Promise.resolve(create(ReplySchema)),
    onNotice: () => {},
    onState: (_, state) => {
      for (const { model } of state.models) models.add(model)
    },
    onPeer: () => {}
  })
  join()
  return { network, models }
}
