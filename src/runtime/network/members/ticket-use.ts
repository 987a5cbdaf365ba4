import { create, toBinary } from '@bufbuild/protobuf'
import { type DeviceId, deviceId } from '../../../core/ids.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import { type Signed, TicketUseSchema } from '../../generated/tributary/v1/wire_pb.ts'
import type { ClusterKey } from '../cluster-key.ts'
import { isPeerId } from '../peer-id.ts'
import { readSigned } from './read-signed.ts'
import { publicKeyOf, signAs } from './signed.ts'

/** A ticket that is good once has admitted this device. */
export interface TicketUse {
  readonly ticket: Uint8Array
  readonly peer: DeviceId
  /** When the ticket does: after that nobody need remember. */
  readonly expires: Seconds
}

export const signUse = (key: ClusterKey, { ticket, peer, expires }: TicketUse): Signed => {
  const said = { cluster: publicKeyOf(key), ticket, peer, expires: BigInt(Math.floor(expires)) }
  return signAs('ticket use', toBinary(TicketUseSchema, create(TicketUseSchema, said)), key)
}

export const readUse = (signed: Signed, cluster: Uint8Array): TicketUse | undefined => {
  const said = readSigned(signed, 'ticket use', TicketUseSchema, cluster)
  if (said === undefined || !isPeerId(said.peer)) return undefined
  return { ticket: said.ticket, peer: deviceId(said.peer), expires: seconds(Number(said.expires)) }
}
