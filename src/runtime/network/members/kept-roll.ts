import type { Signed } from '../../generated/tributary/v1/wire_pb.ts'
import type { ClusterKey } from '../cluster-key.ts'

/** What a device keeps of who is a member of its cluster. */
export interface KeptRoll {
  /** The public key of the cluster. */
  readonly cluster: Uint8Array
  /** Of a device that may admit others. */
  readonly key: ClusterKey | undefined
  /** Its own. */
  readonly certificate: Signed | undefined
  readonly certificates: readonly Signed[]
  readonly removals: readonly Signed[]
  readonly uses: readonly Signed[]
  readonly rotations: readonly Signed[]
}
