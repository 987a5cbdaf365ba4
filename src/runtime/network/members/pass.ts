import { create, toBinary } from '@bufbuild/protobuf'
import { peerIdFromString } from '@libp2p/peer-id'
import { type DeviceId, deviceId } from '../../../core/ids.ts'
import { PassSchema, type Signed, SignedSchema } from '../../generated/tributary/v1/wire_pb.ts'
import type { Identity } from '../identity.ts'
import { isSame, readBody } from './read-signed.ts'
import { isSignedBy, signedBytes } from './signed.ts'

/**
 * A member's word for a process on its machine that looks or asks. It needs no end: the identity of that process is kept
 * nowhere and ends with it, and the word counts no longer than the member is one.
 */
export const signPass = async (
  cluster: Uint8Array,
  peer: DeviceId,
  by: DeviceId,
  identity: Identity
): Promise<Signed> => {
  const body = toBinary(PassSchema, create(PassSchema, { cluster, peer, by }))
  return create(SignedSchema, { body, signature: await identity.sign(signedBytes('pass', body)) })
}

/** Whether the member `by` vouches for this peer. */
export const isPassFor = (signed: Signed | undefined, cluster: Uint8Array, peer: DeviceId, by: DeviceId): boolean => {
  if (signed === undefined) return false
  const said = readBody(signed, PassSchema)
  if (said === undefined || said.peer !== peer || said.by !== by || !isSame(said.cluster, cluster)) return false
  const key = rawKeyOf(by)
  return key !== undefined && isSignedBy(key, 'pass', signed)
}

/** A peer's id has its Ed25519 key in it. */
const rawKeyOf = (peer: DeviceId): Uint8Array | undefined => {
  try {
    const id = peerIdFromString(deviceId(peer))
    return id.type === 'Ed25519' ? id.publicKey.raw : undefined
  } catch {
    return undefined
  }
}
