import { create, toBinary } from '@bufbuild/protobuf'
import { type DeviceId, deviceId } from '../../../core/ids.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import { RemovalSchema, type Signed } from '../../generated/tributary/v1/wire_pb.ts'
import type { ClusterKey } from '../cluster-key.ts'
import { isPeerId } from '../peer-id.ts'
import { plainText } from '../plain-text.ts'
import { MAX_NAME } from './member-certificate.ts'
import { readSigned } from './read-signed.ts'
import { publicKeyOf, signAs } from './signed.ts'

/** Of a device that is no member any more. */
export interface Removal {
  readonly peer: DeviceId
  /** By which it was known. */
  readonly name: string
  /** Since 1970, on the clock of who removed it. */
  readonly at: Seconds
  /** The id of the ticket by which it had come, which is good no more. @default it had come by none */
  readonly ticket?: Uint8Array | undefined
}

export const signRemoval = (key: ClusterKey, { peer, name, at, ticket }: Removal): Signed => {
  const said = {
    ...{ cluster: publicKeyOf(key), peer, name, at: BigInt(Math.floor(at)) },
    ...(ticket === undefined ? {} : { ticket })
  }
  return signAs('removal', toBinary(RemovalSchema, create(RemovalSchema, said)), key)
}

export const readRemoval = (signed: Signed, cluster: Uint8Array): Removal | undefined => {
  const said = readSigned(signed, 'removal', RemovalSchema, cluster)
  if (said === undefined || !isPeerId(said.peer)) return undefined
  const { peer, name, at, ticket } = said
  const facts = { peer: deviceId(peer), name: plainText(name, MAX_NAME), at: seconds(Number(at)) }
  return ticket.length === 0 ? facts : { ...facts, ticket }
}

/**
 * When a ticket is said to be made, in seconds since 1970: after all of these, whatever the clocks of those who removed somebody say.
 * @param now on this device's clock
 */
export const issuedAfter = (removals: readonly Removal[], now: Seconds): Seconds =>
  seconds(Math.max(now, ...removals.map(({ at }) => at + 1)))
