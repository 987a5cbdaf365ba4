// A device's network in a process of its own, to be stopped and killed: `network-process.js KEY-IN-HEX ADDRESS`.
// Sends its peer events to its parent as they come.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { ReplySchema } from '../runtime/generated/tributary/v1/wire_pb.ts'
import { createBlobStore } from '../runtime/network/disk-blob-store.ts'
import { createIdentity } from '../runtime/network/identity.ts'
import { createLibp2pNetwork } from '../runtime/network/libp2p-network.ts'
import { tcpTransport } from '../runtime/network/tcp-transport.ts'
import { systemClock } from '../runtime/system-clock.ts'

const [key = '', address = ''] = process.argv.slice(2)
const folder = await mkdtemp(join(tmpdir(), 'tributary-network-process-'))
const network = createLibp2pNetwork({
  privateKey: await createIdentity(),
  cluster: new Uint8Array(Buffer.from(key, 'hex')),
  listen: ['127.0.0.1:0'],
  transports: [tcpTransport],
  mdns: false,
  clock: systemClock,
  blobStore: createBlobStore({ folder })
})
process.once('disconnect', () => network.stop())
await network.start({
  onTask: () => ({ kind: 'accepted' }),
  onRequest: () => Promise.resolve(create(ReplySchema)),
  onNotice: () => {},
  onState: () => {},
  onPeer: event => void process.send?.(event, undefined, {}, () => {}) // the parent may be gone already
})
await rm(folder, { recursive: true, force: true })
network.join(address)
