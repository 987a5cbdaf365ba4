import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import type { DeviceId } from '../core/ids.ts'
import { ReplySchema } from '../runtime/generated/tributary/v1/wire_pb.ts'
import type { BlobStore } from '../runtime/network/blob-store.ts'
import { createClusterKey } from '../runtime/network/cluster-key.ts'
import { createBlobStore } from '../runtime/network/disk-blob-store.ts'
import { createIdentity } from '../runtime/network/identity.ts'
import { createLibp2pNetwork, type Libp2pNetworkOptions } from '../runtime/network/libp2p-network.ts'
import { tcpTransport } from '../runtime/network/tcp-transport.ts'
import type { Network, NetworkHandlers, PeerEvent } from '../runtime/ports/network.ts'
import { systemClock } from '../runtime/system-clock.ts'

export interface OpenNetwork {
  readonly network: Network
  readonly self: DeviceId
  readonly address: string
  readonly folder: string
  readonly blobs: BlobStore
  /** Everything that `onPeer` was told. */
  readonly events: readonly PeerEvent[]
  readonly said: readonly string[]
  /** Resolves with the first event, past or future, that fits. */
  event(fits: (event: PeerEvent) => boolean): Promise<PeerEvent>
}

export interface NetworkGroup extends AsyncDisposable {
  readonly key: Uint8Array
  open(handlers?: Partial<NetworkHandlers>, options?: Partial<Libp2pNetworkOptions>): Promise<OpenNetwork>
}

/** Real networks on loopback, on free ports, without mDNS, that stop together. */
export const networkGroup = (): NetworkGroup => {
  const key = createClusterKey()
  const opened: { readonly network: Network; readonly folder: string }[] = []
  const open: NetworkGroup['open'] = async (handlers = {}, options = {}) => {
    const folder = await mkdtemp(join(tmpdir(), 'tributary-network-'))
    const blobs = createBlobStore({ folder })
    const events: PeerEvent[] = []
    const said: string[] = []
    const waiting = new Set<(event: PeerEvent) => void>()
    const network = createLibp2pNetwork({
      privateKey: await createIdentity(),
      cluster: key,
      listen: ['127.0.0.1:0'],
      transports: [tcpTransport],
      mdns: false,
      clock: systemClock,
      blobStore: blobs,
      say: text => said.push(text),
      ...options
    })
    opened.push({ network, folder })
    await network.start({
      onTask: () => ({ kind: 'accepted' }),
      onRequest: () => Promise.resolve(create(ReplySchema)),
      onNotice: () => {},
      onState: () => {},
      ...handlers,
      onPeer: event => {
        events.push(event)
        handlers.onPeer?.(event)
        for (const tell of [...waiting]) tell(event)
      }
    })
    const event: OpenNetwork['event'] = fits =>
      new Promise(resolve => {
        const past = events.find(fits)
        if (past !== undefined) return resolve(past)
        const tell = (next: PeerEvent): void => {
          if (!fits(next)) return
          waiting.delete(tell)
          resolve(next)
        }
        waiting.add(tell)
      })
    const address = network.addresses()[0] ?? ''
    return { network, self: network.self, address, folder, blobs, events, said, event }
  }
  return {
    key,
    open,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(opened.map(({ network }) => network.stop()))
      await Promise.all(opened.map(({ folder }) => rm(folder, { recursive: true, force: true })))
    }
  }
}

/** Two networks that have admitted each other; `b` dialled `a`. */
export const openPair = async (
  group: NetworkGroup,
  onA: Partial<NetworkHandlers> = {},
  onB: Partial<NetworkHandlers> = {},
  optionsOfA: Partial<Libp2pNetworkOptions> = {},
  optionsOfB: Partial<Libp2pNetworkOptions> = {}
): Promise<readonly [OpenNetwork, OpenNetwork]> => {
  const a = await group.open(onA, optionsOfA)
  const b = await group.open(onB, optionsOfB)
  b.network.join(a.address)
  await Promise.all([joined(a, b.self), joined(b, a.self)])
  return [a, b]
}

export const joined = (at: OpenNetwork, peer: DeviceId): Promise<PeerEvent> =>
  at.event(event => event.kind === 'joined' && event.peer === peer)
