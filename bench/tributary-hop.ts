import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import type { DeviceId } from '../src/core/ids.ts'
import { ReplySchema, TaskSchema } from '../src/runtime/generated/tributary/v1/wire_pb.ts'
import { createBlobStore } from '../src/runtime/network/disk-blob-store.ts'
import { createIdentity } from '../src/runtime/network/identity.ts'
import { createLibp2pNetwork } from '../src/runtime/network/libp2p-network.ts'
import type { PeerEvent } from '../src/runtime/network/network.ts'
import { systemClock } from '../src/runtime/system-clock.ts'

/** One end of a hop as Tributary makes it, without a device behind it: every task is accepted at once. */
export interface HopEnd {
  readonly address: string
  /** Join the other end. @returns sends one activation of that many bytes; resolves when it is answered */
  join(address: string, bytes: number): Promise<() => Promise<void>>
  stop(): Promise<void>
}

export const openHopEnd = async (key: Uint8Array): Promise<HopEnd> => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-hop-'))
  const joined = Promise.withResolvers<DeviceId>()
  const network = createLibp2pNetwork({
    privateKey: await createIdentity(),
    clusterKey: key,
    listen: ['127.0.0.1:0'],
    mdns: false,
    clock: systemClock,
    blobStore: createBlobStore({ folder })
  })
  await network.start({
    onTask: () => ({ kind: 'accepted' }),
    onRequest: () => Promise.resolve(create(ReplySchema)),
    onNotice: () => {},
    onState: () => {},
    onPeer: ({ peer }: PeerEvent) => joined.resolve(peer)
  })
  return {
    address: network.addresses()[0] ?? '',
    join: async (address, bytes) => {
      network.join(address)
      const peer = await joined.promise
      const task = create(TaskSchema, { source: 'camera@porch', datum: 1n, model: 'a'.repeat(64), home: peer, done: 3 })
      const data = new Uint8Array(bytes)
      return async () => {
        await network.sendTask(peer, task, [{ name: 'x', type: 'float32', dims: [bytes / 4], data }]).answered
      }
    },
    stop: async () => {
      await network.stop()
      await rm(folder, { recursive: true, force: true })
    }
  }
}
