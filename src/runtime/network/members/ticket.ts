import { create, toBinary } from '@bufbuild/protobuf'
import type { DeviceId } from '../../../core/ids.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import { type Invited, InvitedSchema, type Signed, TicketSchema } from '../../generated/tributary/v1/wire_pb.ts'
import { nodeRandom } from '../../node-random.ts'
import type { Random } from '../../ports/random.ts'
import type { ClusterKey } from '../cluster-key.ts'
import { plainText } from '../plain-text.ts'
import { MAX_NAME } from './member-certificate.ts'
import { readSigned } from './read-signed.ts'
import { isSignedBy, KEY_BYTES, publicKeyOf, signAs } from './signed.ts'

export interface TicketTerms {
  /** Of the one device that it is for; empty: any. */
  readonly name: string
  /** Since 1970, on the clock of who admits. */
  readonly expires: Seconds
  /** It admits one device. */
  readonly once: boolean
  /** Since 1970, on the clock of who made it: later than every removal that it is to come after. */
  readonly issued: Seconds
}

export interface TicketFacts extends TicketTerms {
  /** The public key of its secret. */
  readonly id: Uint8Array
}

/** What an invite holds: whoever has the secret may come, on the terms that the cluster's key has signed. */
export interface Ticket {
  readonly cluster: Uint8Array
  readonly signed: Signed
  readonly secret: Uint8Array
}

export const createTicket = (key: ClusterKey, terms: TicketTerms, random: Random = nodeRandom): Ticket => {
  const cluster = publicKeyOf(key)
  const secret = random.bytes(KEY_BYTES)
  const { name, once, expires, issued } = terms
  const dates = { expires: BigInt(Math.floor(expires)), issued: BigInt(Math.floor(issued)) }
  const said = { cluster, id: publicKeyOf(secret), name, once, ...dates }
  return { cluster, secret, signed: signAs('ticket', toBinary(TicketSchema, create(TicketSchema, said)), key) }
}

/** Undefined where the cluster's key has not signed it. */
export const readTicket = (signed: Signed | undefined, cluster: Uint8Array): TicketFacts | undefined => {
  const said = readSigned(signed, 'ticket', TicketSchema, cluster)
  if (said === undefined || said.id.length !== KEY_BYTES) return undefined
  const { id, name, once, expires, issued } = said
  const dates = { expires: seconds(Number(expires)), issued: seconds(Number(issued)) }
  return { id, name: plainText(name, MAX_NAME), once, ...dates }
}

/** Who comes, to whom, by what name: no other can use the proof, and nobody at another door. */
const proven = (comes: DeviceId, to: DeviceId, name: string): Uint8Array =>
  new Uint8Array(Buffer.from(JSON.stringify([comes, to, name])))

/** What a device shows that comes with a ticket to the member `to`. */
export const showTicket = ({ signed, secret }: Ticket, comes: DeviceId, to: DeviceId, name: string): Invited => {
  const { signature: proof } = signAs('ticket proof', proven(comes, to, name), secret)
  return create(InvitedSchema, { ticket: signed, proof, name })
}

export const isTicketProof = ({ id }: TicketFacts, { proof, name }: Invited, comes: DeviceId, to: DeviceId): boolean =>
  isSignedBy(id, 'ticket proof', {
    $typeName: 'tributary.v1.Signed',
    body: proven(comes, to, name),
    signature: proof
  })
