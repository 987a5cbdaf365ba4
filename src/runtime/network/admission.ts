import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import type { Connection, Stream } from '@libp2p/interface'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import type { Seconds } from '../../core/units.ts'
import {
  type Admission,
  AdmissionSchema,
  type Hello,
  type Invited,
  type MemberRecords,
  type Proof,
  type Signed,
  type Verdict,
  type VerdictSchema
} from '../generated/tributary/v1/wire_pb.ts'
import type { Role } from '../ports/network.ts'
import type { Assessment, ClusterRoll, Comer } from './members/cluster-roll.ts'
import { isPassing, isReason, REFUSALS, type Reason, Refusal } from './members/refusal.ts'
import { createMessagePort, type MessagePort } from './message-port.ts'
import { plainText } from './plain-text.ts'

export const ADMISSION_PROTOCOL = '/tributary/admission/1'

/** A member of our cluster at the other end of a connection. */
export interface Member {
  readonly peer: DeviceId
  readonly role: Role
  readonly incarnation: bigint
  /** It holds the cluster's key. */
  readonly mayAdmit: boolean
  /** The device on its machine by whose word it came. */
  readonly vouchedBy?: DeviceId | undefined
  /** Of one who only looks or asks: the invite by which it came. */
  readonly ticket?: string | undefined
  /** When that expires, since 1970. */
  readonly ticketUntil?: Seconds | undefined
}

interface RefusalDetails {
  readonly twin?: string | undefined
  readonly isPassing?: boolean
  readonly reason?: Reason | undefined
}

/** `byUs` tells whether we refused the peer or it refused us. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly byUs: boolean
  /** Another process has our identity and stays in the cluster, a member says: where that is. */
  readonly twin: string | undefined
  /** Not for what it has or is: it may be admitted another time. */
  readonly isPassing: boolean
  /** What the other side said, in its one word. */
  readonly reason: Reason | undefined

  constructor(because: string, byUs: boolean, { twin, isPassing = false, reason }: RefusalDetails = {}) {
    super(because)
    this.byUs = byUs
    this.twin = twin
    this.isPassing = isPassing
    this.reason = reason
  }
}

/** Who we are in every handshake. */
export interface Credentials {
  readonly role: Role
  readonly incarnation: bigint
  readonly roll: ClusterRoll
  /** For one who comes with a good ticket: here, or by a member that may. @throws Refusal @default here */
  readonly certify?: (comes: DeviceId, invited: Invited, ticket: { readonly once: boolean }) => Promise<Signed>
  /** Asked of a peer that is a member: where another process with its identity is that stays instead, if there is one. */
  readonly insteadOf?: (member: Member, connection: Connection) => string | undefined
  /** Asked of one who comes: whether there is room for it beside those who came the same way. @default there always is */
  readonly hasRoomFor?: (member: Member) => boolean
}

/** Certificates, and the rotations that lead to the key which signed them. */
const MESSAGE_LIMIT = 16 * 1024
const ADDRESS_LIMIT = 100

type Body = Admission['body']
type Case = Exclude<Body['case'], undefined>
type Said<C extends Case> = Extract<Body, { readonly case: C }>

const write = (port: MessagePort, body: MessageInitShape<typeof AdmissionSchema>['body']): Promise<void> =>
  port.write(toBinary(AdmissionSchema, create(AdmissionSchema, { body: body! })))

const read = async <C extends Case>(port: MessagePort, ...wanted: readonly C[]): Promise<Said<C>> => {
  const bytes = await port.read(MESSAGE_LIMIT)
  let body: Body
  try {
    body = fromBinary(AdmissionSchema, bytes).body
  } catch {
    throw new RefusedError('its admission message is malformed', true)
  }
  if (!wanted.some(name => name === body.case))
    throw new RefusedError(`it sent ${body.case ?? 'nothing'} instead of ${wanted.join(' or ')}`, true)
  return body as Said<C>
}

const writeVerdict = (port: MessagePort, value: MessageInitShape<typeof VerdictSchema>): Promise<void> =>
  write(port, { case: 'verdict', value })

const comerOf = (connection: Connection, said: Hello | Proof): Comer & { readonly incarnation: bigint } => {
  const { role, standing, incarnation } = said
  if (role !== 'device' && role !== 'guest' && role !== 'observer')
    throw new RefusedError(`its role "${plainText(role, 40)}" is not known here`, true)
  const rotations = 'rotations' in said ? said.rotations : []
  return { peer: deviceId(connection.remotePeer.toString()), role, standing, rotations, incarnation }
}

/** What was found out about who comes; where that is nothing good, it is told, and this throws. */
const assessed = async (port: MessagePort, comer: Comer, { roll }: Credentials): Promise<Assessment> => {
  try {
    return roll.assess(comer)
  } catch (error) {
    throw await refuse(port, error)
  }
}

/** Tell why. @returns what to throw */
const refuse = async (port: MessagePort, error: unknown): Promise<unknown> => {
  if (!(error instanceof Refusal)) return error
  const { reason, proof } = error
  await writeVerdict(port, { reason, ...(proof === undefined ? {} : { proof }) })
  return new RefusedError(error.message, true, { isPassing: isPassing(reason) })
}

/** Keep a member out whose identity another process has, and tell it: it showed that it is a member, and so do we. */
const refuseTwin = async (port: MessagePort, twin: string | undefined): Promise<void> => {
  if (twin === undefined) return
  await writeVerdict(port, { because: 'another device has your identity', twin: twin.slice(0, ADDRESS_LIMIT) })
  throw new RefusedError('another device has its identity', true, { isPassing: true })
}

/** @throws RefusedError; a stranger's words are not repeated, and what it says of a twin might make this device go */
const requireAdmitted = (said: Verdict, { roll }: Credentials, isMember: boolean): void => {
  const { admitted, because, twin, reason, proof } = said
  if (admitted) return
  if (reason === 'removed' && (proof === undefined || !roll.believesRemoval(proof)))
    throw new RefusedError(REFUSALS.otherCluster.told, true)
  if (isReason(reason))
    throw new RefusedError(REFUSALS[reason].told, reason === 'otherCluster', { isPassing: isPassing(reason), reason })
  if (!isMember) throw new RefusedError(REFUSALS.otherCluster.told, true)
  const told = twin === '' ? undefined : plainText(twin, ADDRESS_LIMIT)
  throw new RefusedError(plainText(because, 200) || 'it gave no reason', false, { twin: told })
}

const memberOf = ({ peer, role }: Comer, incarnation: bigint, found: Assessment): Member => ({
  ...{ peer, role, incarnation },
  mayAdmit: found.kind === 'member' && found.facts.mayAdmit,
  ...(found.kind === 'member' && found.vouchedBy !== undefined ? { vouchedBy: found.vouchedBy } : {}),
  ...(found.kind === 'member' && found.ticket !== undefined
    ? { ticket: found.ticket, ticketUntil: found.ticketUntil }
    : {})
})

/**
 * Ask for admission over a connection that we dialled. Each side shows that it is a member, bound to the peer id that TLS
 * has authenticated, before either answers anything else; the one that comes is the first.
 * @throws RefusedError when one side refuses the other
 */
export const requestAdmission = async (
  connection: Connection,
  stream: Stream,
  credentials: Credentials
): Promise<Member> => {
  const { role, incarnation, roll } = credentials
  const port = createMessagePort(stream)
  const peer = deviceId(connection.remotePeer.toString())
  const hello = { role, incarnation, standing: roll.standingFor(peer), rotations: [...roll.rotations] }
  await write(port, { case: 'hello', value: hello })
  const answer = await read(port, 'proof', 'verdict')
  if (answer.case === 'verdict') {
    requireAdmitted(answer.value, credentials, false)
    throw new RefusedError('it sent verdict instead of proof', true)
  }
  const { value: proof } = answer
  if (proof.renewal !== undefined) roll.learn(proof.renewal)
  if (proof.certificate !== undefined && !roll.isIn) await roll.accept(proof.certificate)
  const listener = comerOf(connection, proof)
  const found = await assessed(port, listener, credentials)
  if (found.kind === 'invited' || found.kind === 'ahead' || (!roll.isIn && role === 'device'))
    throw await refuse(port, new Refusal('notYet'))
  const member = memberOf(listener, proof.incarnation, found)
  await refuseTwin(port, credentials.insteadOf?.(member, connection))
  await writeVerdict(port, { admitted: true, ...(found.kind === 'outdated' ? { renewal: found.renewal } : {}) })
  requireAdmitted((await read(port, 'verdict')).value, credentials, true)
  return member
}

/**
 * The listener's half. `admit` runs before the dialler is told, so that whatever it asks next finds it admitted.
 * @throws RefusedError when one side refuses the other
 */
export const grantAdmission = async (
  connection: Connection,
  stream: Stream,
  credentials: Credentials,
  admit: (member: Member) => void
): Promise<void> => {
  const { role, incarnation, roll } = credentials
  const port = createMessagePort(stream)
  const dialler = comerOf(connection, (await read(port, 'hello')).value)
  if (!roll.isIn || roll.removed !== undefined) throw await refuse(port, new Refusal('notYet'))
  const first = await assessed(port, dialler, credentials)
  const certificate = await certificateFor(port, dialler.peer, first, credentials)
  await write(port, {
    case: 'proof',
    value: {
      ...{ role, incarnation, standing: roll.standingFor(dialler.peer) },
      ...(first.kind === 'outdated' ? { renewal: first.renewal } : {}),
      ...(certificate === undefined ? {} : { certificate })
    }
  })
  const { value: answer } = await read(port, 'verdict')
  requireAdmitted(answer, credentials, first.kind !== 'ahead')
  const found = first.kind === 'ahead' ? await caughtUp(port, dialler, answer.renewal, credentials) : first
  const member = memberOf(dialler, dialler.incarnation, found)
  await refuseTwin(port, credentials.insteadOf?.(member, connection))
  if (credentials.hasRoomFor?.(member) === false) throw await refuse(port, new Refusal('crowded'))
  admit(member)
  await writeVerdict(port, { admitted: true })
}

/** The dialler has seen the key change: with what it gives, this device has too. */
const caughtUp = async (
  port: MessagePort,
  dialler: Comer,
  renewal: MemberRecords | undefined,
  credentials: Credentials
): Promise<Assessment> => {
  if (renewal !== undefined) credentials.roll.learn(renewal)
  const found = await assessed(port, dialler, credentials)
  if (found.kind === 'member') return found
  throw await refuse(port, new Refusal('otherCluster'))
}

const certificateFor = async (
  port: MessagePort,
  comes: DeviceId,
  found: Assessment,
  { roll, certify }: Credentials
): Promise<Signed | undefined> => {
  if (found.kind !== 'invited') return undefined
  const { invited, ticket } = found
  try {
    return certify === undefined ? await roll.certify(comes, invited, roll.self) : await certify(comes, invited, ticket)
  } catch (error) {
    throw await refuse(port, error)
  }
}
