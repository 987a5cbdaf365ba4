import { create, toBinary } from '@bufbuild/protobuf'
import { type Seconds, seconds } from '../../../core/units.ts'
import { RotationSchema, type Signed } from '../../generated/tributary/v1/wire_pb.ts'
import type { ClusterKey } from '../cluster-key.ts'
import { isSame, readBody, readSigned } from './read-signed.ts'
import { KEY_BYTES, publicKeyOf, signAs } from './signed.ts'

/** The cluster has another key from then on. */
export interface Rotation {
  readonly from: Uint8Array
  readonly next: Uint8Array
  /** Since 1970, on the clock of who changed it. */
  readonly at: Seconds
}

/** That are remembered: who was away for longer has to be invited again. */
export const MAX_ROTATIONS = 16

export const signRotation = (key: ClusterKey, next: ClusterKey, at: Seconds): Signed => {
  const said = { cluster: publicKeyOf(key), next: publicKeyOf(next), at: BigInt(Math.floor(at)) }
  return signAs('rotation', toBinary(RotationSchema, create(RotationSchema, said)), key)
}

/** Undefined where the key that it says is the former one has not signed it. */
export const readRotation = (signed: Signed): Rotation | undefined => {
  const from = readBody(signed, RotationSchema)?.cluster
  const said = from && readSigned(signed, 'rotation', RotationSchema, from)
  if (from === undefined || said === undefined || said.next.length !== KEY_BYTES) return undefined
  return { from, next: said.next, at: seconds(Number(said.at)) }
}

/**
 * The key to which rotations lead from `key`, one after the other; `key` where none does. Only such as say that they are of the
 * key at which they come are verified, and none after one that lies.
 */
export const latestKey = (key: Uint8Array, rotations: readonly Signed[]): Uint8Array => {
  let latest = key
  for (const signed of rotations.slice(-MAX_ROTATIONS)) {
    if (!isOfKey(signed, latest)) continue
    const rotation = readRotation(signed)
    if (rotation === undefined) return latest
    latest = rotation.next
  }
  return latest
}

const isOfKey = (signed: Signed, key: Uint8Array): boolean => {
  const from = readBody(signed, RotationSchema)?.cluster
  return from !== undefined && isSame(from, key)
}
