import type { Clock } from '../../core/clock.ts'
import type { DeviceId } from '../../core/ids.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import type { Seconds } from '../../core/units.ts'
import type { LinkShaper } from '../ports/link-shaper.ts'
import type { Role } from '../ports/network.ts'
import type { Random } from '../ports/random.ts'
import type { BlobStore } from './blob-store.ts'
import type { ClusterKey } from './cluster-key.ts'
import type { FrameLimits } from './frame-limits.ts'
import type { Identity } from './identity.ts'
import type { Twins } from './incarnation-book.ts'
import type { ClusterRoll } from './members/cluster-roll.ts'
import type { WireTransport } from './wire-transport.ts'

export interface Libp2pNetworkOptions {
  readonly privateKey: Identity
  /** Who is a member, and how this process shows that it is one; or, for one that keeps nothing of that, the cluster's key. */
  readonly cluster: ClusterRoll | ClusterKey
  /** How devices are reached. An address that none of them speaks is kept, and passed on to others. */
  readonly transports: readonly WireTransport[]
  /** "host:port", "[ip6]:port" or multiaddrs; none: this process dials only. */
  readonly listen: readonly string[]
  readonly clock: Clock
  /** What this life is told apart by. @default of the machine */
  readonly random?: Random
  readonly blobStore: BlobStore
  /** @default 'device' */
  readonly role?: Role
  /** Find devices of the local network by multicast DNS. @default true */
  readonly mdns?: boolean
  /** @default 1 MiB of header, 1 GiB of payload */
  readonly limits?: Partial<FrameLimits>
  /** A peer that is not heard for so long has left. @default 3 s */
  readonly suspectAfter?: Seconds
  /** Shapes what is sent to that peer; undefined where the real link alone counts. Asked for every frame. */
  readonly shaper?: (peer: DeviceId) => LinkShaper | undefined
  /** Devices of an earlier run and where they were: they are looked for from the start, and for as long as it takes. */
  readonly recalled?: ReadonlyMap<DeviceId, readonly string[]>
  /** There is news of `acquaintances`: these are they. */
  readonly onAcquainted?: (known: ReadonlyMap<DeviceId, readonly string[]>) => void
  /** Two processes have one identity, perhaps ours. At most once a minute for each. */
  readonly onTwins?: (twins: Twins, self: DeviceId) => void
  /** Whoever answers where this process is to join does not let it in, and will not: why. */
  readonly onShut?: (because: string) => void
  /** Of what is done again and again, and for others. @default one of its own, which tells `say` */
  readonly guard?: JobGuard
  /** Takes one line of talk. */
  readonly say?: (text: string, level?: 'warn') => void
}
