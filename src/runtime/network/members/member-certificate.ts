import { create, toBinary } from '@bufbuild/protobuf'
import { type DeviceId, deviceId } from '../../../core/ids.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import { MemberCertificateSchema, type Signed } from '../../generated/tributary/v1/wire_pb.ts'
import type { ClusterKey } from '../cluster-key.ts'
import { isPeerId } from '../peer-id.ts'
import { plainText } from '../plain-text.ts'
import { readBody, readSigned } from './read-signed.ts'
import { publicKeyOf, signAs } from './signed.ts'

/** What a certificate says of a member. */
export interface MemberFacts {
  readonly peer: DeviceId
  readonly name: string
  /** Since 1970, on the clock of who admitted it. */
  readonly since: Seconds
  readonly mayAdmit: boolean
  /** The id of the ticket by which it came. @default it came by none */
  readonly ticket?: Uint8Array | undefined
  /** That was for this name: it goes by no other. @default false */
  readonly isBound?: boolean
}

export const MAX_NAME = 200

export const issueCertificate = (key: ClusterKey, member: MemberFacts): Signed => {
  const { peer, name, since, mayAdmit, ticket, isBound: bound = false } = member
  const facts = {
    ...{ cluster: publicKeyOf(key), peer, name, since: BigInt(Math.floor(since)), mayAdmit, bound },
    ...(ticket === undefined ? {} : { ticket })
  }
  return signAs('certificate', toBinary(MemberCertificateSchema, create(MemberCertificateSchema, facts)), key)
}

/** Undefined where the cluster's key has not signed it. */
export const readCertificate = (signed: Signed | undefined, cluster: Uint8Array): MemberFacts | undefined => {
  const said = readSigned(signed, 'certificate', MemberCertificateSchema, cluster)
  if (said === undefined || !isPeerId(said.peer)) return undefined
  const { peer, name, since, mayAdmit, ticket, bound } = said
  const facts = {
    ...{ peer: deviceId(peer), name: plainText(name, MAX_NAME), since: seconds(Number(since)), mayAdmit },
    ...(bound ? { isBound: true } : {})
  }
  return ticket.length === 0 ? facts : { ...facts, ticket }
}

/** The cluster that a certificate says it is of: whether it is has to be seen. */
export const clusterOf = (signed: Signed): Uint8Array | undefined => readBody(signed, MemberCertificateSchema)?.cluster
