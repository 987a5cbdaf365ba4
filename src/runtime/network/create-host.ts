import '../../core/promise-with-resolvers.ts'
import { type GossipSub, type GossipSubComponents, gossipsub } from '@libp2p/gossipsub'
import type { RPC } from '@libp2p/gossipsub/message'
import { type Identify, identify } from '@libp2p/identify'
import type { Libp2p, MultiaddrConnection, Stream } from '@libp2p/interface'
import { type Ping, ping } from '@libp2p/ping'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { DeviceId } from '../../core/ids.ts'
import { NetworkError } from '../ports/network.ts'
import type { AdmissionGate } from './admission-gate.ts'
import { boundedYamux } from './bounded-yamux.ts'
import { STATE_TOPIC } from './gossip.ts'
import { guardService } from './guarded-registrar.ts'
import type { Identity } from './identity.ts'
import { lazyNoise } from './lazy-noise.ts'
import { MDNS_TAG } from './mdns-tag.ts'
import { nativeTls } from './native-tls.ts'
import { STATE_LIMIT } from './state-unpacker.ts'
import { CROWDED, WaitingPlaces } from './waiting-places.ts'
import type { WireTransport } from './wire-transport.ts'

export interface HostServices extends Record<string, unknown> {
  readonly identify: Identify
  readonly ping: Ping
  readonly gossip: GossipSub
}

export type Host = Libp2p<HostServices>

export interface HostOptions {
  readonly privateKey: Identity
  readonly listen: readonly Multiaddr[]
  readonly mdns: boolean
  readonly transports: readonly WireTransport[]
  readonly gate: AdmissionGate
  /** Of this process: drawn anew at every start. */
  readonly incarnation: bigint
  /** A member opens a stream for slow state. @default it is read as fast as it comes */
  readonly hears?: (stream: Stream, peer: DeviceId) => void
  /** A process that is not this one has our identity, and is there. */
  readonly onTwin?: (incarnation: bigint, address: string) => void
}

/** Milliseconds, for what comes before admission: TLS, and the choice of a muxer. */
const HANDSHAKE_TIMEOUT = 5000

/** Connections in their handshake, and after it until they are admitted, at most: for one more the one that takes longest goes. */
export const PENDING_CONNECTIONS = 32

/**
 * Nearly every device is connected to every other and hears states from their authors; to be passed on they need only
 * a few hands. The default of six means that each device hears each state some seven times. What there is to be had is told to as
 * few, not to a share of all that are connected.
 */
const MESH = { D: 2, Dlo: 2, Dhi: 3, Dscore: 1, Dout: 1, Dlazy: 3, gossipFactor: 0 } as const

/**
 * Milliseconds. Who has just come is taken into the mesh at once; each second's look at whether it is still as it should be, and
 * word of what need not be sent, cost an idle device more than what they save. What there is to be had is told once: a state is
 * soon followed by another.
 */
const SELDOM = { heartbeatInterval: 5000, mcacheGossip: 1, idontwantMinDataSize: STATE_LIMIT } as const

const fastMsgIdFn = ({ from = NOBODY, seqno = NOBODY }: RPC.Message): string =>
  `${Buffer.from(from).toString('base64')} ${Buffer.from(seqno).toString('base64')}`
const NOBODY = new Uint8Array()

/** A libp2p node as we use it, not started. Services that are not ours are behind the gate. */
export const createHost = async ({
  privateKey,
  listen,
  mdns: discover,
  transports,
  gate,
  incarnation,
  hears,
  onTwin = () => {}
}: HostOptions): Promise<Host> => {
  const places = new WaitingPlaces<MultiaddrConnection>(PENDING_CONNECTIONS)
  return createLibp2p<HostServices>({
    start: false,
    privateKey,
    addresses: { listen: listen.map(String) },
    transports: transports.map(({ transport }) => transport),
    connectionEncrypters: [nativeTls({ incarnation, onTwin }), lazyNoise],
    streamMuxers: [boundedYamux()],
    peerDiscovery: discover ? [await localDiscovery()] : [],
    // It closes connections that answer no ping for ten seconds; a device that stands still comes back on them.
    connectionMonitor: { enabled: false },
    connectionGater: {
      denyInboundConnection: connection => {
        places.enter(connection, () => connection.abort(new NetworkError(CROWDED)))
        connection.addEventListener('close', () => places.leave(connection))
        return false
      },
      denyInboundUpgradedConnection: (_, connection) => {
        places.leave(connection)
        return false
      }
    },
    connectionManager: {
      maxConnections: 512,
      // Ours are fewer, and make room for who comes last.
      maxIncomingPendingConnections: 4 * PENDING_CONNECTIONS,
      inboundUpgradeTimeout: HANDSHAKE_TIMEOUT,
      // Per second and host: many devices of a test or a demo share one.
      inboundConnectionThreshold: 100,
      reconnectRetries: 0
    },
    services: {
      identify: guardService(identify({ runOnConnectionOpen: false }), gate),
      ping: guardService(ping(), gate),
      gossip: guardService(
        gossipsub({
          allowPublishToZeroTopicPeers: true,
          maxInboundDataLength: STATE_LIMIT,
          allowedTopics: [STATE_TOPIC],
          // What somebody passed on already is known by its author and number, before its signature is looked at: of the
          // work of a state this is the greatest part, and forged ones are not kept as known.
          fastMsgIdFn,
          ...MESH,
          ...SELDOM,
          // Many devices may stand behind one address.
          scoreParams: { IPColocationFactorWeight: 0, decayInterval: SELDOM.heartbeatInterval }
        }) as (components: GossipSubComponents) => GossipSub,
        gate,
        hears
      )
    }
  }) as Promise<Host>
}

/** Loaded where it is used. */
const localDiscovery = async (): Promise<ReturnType<typeof import('@libp2p/mdns').mdns>> => {
  const { mdns } = await import('@libp2p/mdns')
  return mdns({ serviceTag: MDNS_TAG })
}

/** What libp2p keeps to itself; all optional, for it may be named otherwise in another version. */
interface Internals {
  readonly status?: { readonly heartbeatTimeout?: NodeJS.Timeout }
  readonly components?: {
    readonly addressManager?: { readonly _updatePeerStoreAddresses?: { stop?: () => void } }
  }
}

/**
 * Two timers would keep the process for up to a second: GossipSub forgets that of its next heartbeat when it stops, and
 * the end of the listeners makes the address manager want to write down where we listen.
 */
export const stopHost = async (host: Host): Promise<void> => {
  const gossip = host.services.gossip as unknown as Internals
  clearTimeout(gossip.status?.heartbeatTimeout)
  await host.stop()
  const { components } = host as unknown as Internals
  components?.addressManager?._updatePeerStoreAddresses?.stop?.()
}
