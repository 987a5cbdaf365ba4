import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { Connection, Stream } from '@libp2p/interface'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { type Admission, AdmissionSchema, type Verdict } from '../generated/tributary/v1/wire_pb.ts'
import { nodeRandom } from '../node-random.ts'
import type { Role } from '../ports/network.ts'
import type { Random } from '../ports/random.ts'
import { type AdmissionFacts, type AdmissionSide, isProof, NONCE_BYTES, prove } from './admission-proof.ts'
import type { ClusterKey } from './cluster-key.ts'
import { createMessagePort, type MessagePort } from './message-port.ts'
import { plainText } from './plain-text.ts'

export const ADMISSION_PROTOCOL = '/tributary/admission/1'

/** A member of our cluster at the other end of a connection. */
export interface Member {
  readonly peer: DeviceId
  readonly role: Role
  readonly incarnation: bigint
}

interface RefusalDetails {
  readonly twin?: string | undefined
  readonly isPassing?: boolean
}

/** `byUs` tells whether we refused the peer or it refused us. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly byUs: boolean
  /** Another process has our identity and stays in the cluster, a member says: where that is. */
  readonly twin: string | undefined
  /** Not for what it has or is: it may be admitted another time. */
  readonly isPassing: boolean

  constructor(because: string, byUs: boolean, { twin, isPassing = false }: RefusalDetails = {}) {
    super(because)
    this.byUs = byUs
    this.twin = twin
    this.isPassing = isPassing
  }
}

/** Who we are in every handshake. */
export interface Credentials {
  readonly self: DeviceId
  readonly role: Role
  readonly incarnation: bigint
  readonly key: ClusterKey
  /** For nonces. @default of the machine */
  readonly random?: Random
  /** Asked of a peer that proved the key: where another process with its identity is that stays instead, if there is one. */
  readonly insteadOf?: (member: Member, connection: Connection) => string | undefined
}

/** An admission message is a nonce, a proof and a few words. */
const MESSAGE_LIMIT = 1024

type Body = Admission['body']
type Case = Exclude<Body['case'], undefined>
type Value<C extends Case> = Extract<Body, { readonly case: C }>['value']

const write = (port: MessagePort, body: Body): Promise<void> =>
  port.write(toBinary(AdmissionSchema, create(AdmissionSchema, { body })))

const read = async <C extends Case>(port: MessagePort, wanted: C): Promise<Value<C>> => {
  const bytes = await port.read(MESSAGE_LIMIT)
  let body: Body
  try {
    body = fromBinary(AdmissionSchema, bytes).body
  } catch {
    throw new RefusedError('its admission message is malformed', true)
  }
  if (body.case !== wanted) throw new RefusedError(`it sent ${body.case ?? 'nothing'} instead of ${wanted}`, true)
  return body.value as unknown as Value<C>
}

const side = (
  connection: Connection,
  said: Pick<AdmissionSide, 'nonce' | 'incarnation'> & { readonly role: string }
): AdmissionSide => {
  const { role, nonce, incarnation } = said
  if (role !== 'device' && role !== 'guest' && role !== 'observer')
    throw new RefusedError(`its role "${plainText(role, 40)}" is not known here`, true)
  if (nonce.byteLength !== NONCE_BYTES) throw new RefusedError(`its nonce has ${nonce.byteLength} B`, true)
  return { peer: deviceId(connection.remotePeer.toString()), role, nonce, incarnation }
}

const ourSide = ({ self, role, incarnation, random = nodeRandom }: Credentials): AdmissionSide => ({
  peer: self,
  role,
  incarnation,
  nonce: random.bytes(NONCE_BYTES)
})

/** Of two devices with different keys the one that comes is the one in the wrong place: neither can know more. */
const CAME_WITH_ANOTHER = 'it came with the key of another cluster'
const HAS_ANOTHER =
  "it belongs to another cluster: this device's key is not its key; to join that cluster, use its invite"

const requireProof = async (
  port: MessagePort,
  mac: Uint8Array,
  { key }: Credentials,
  prover: keyof AdmissionFacts,
  facts: AdmissionFacts
): Promise<void> => {
  if (isProof(mac, key, prover, facts)) return
  await write(port, { case: 'verdict', value: verdict(false, { because: 'the keys differ' }) })
  throw new RefusedError(prover === 'dialler' ? CAME_WITH_ANOTHER : HAS_ANOTHER, true)
}

const verdict = (admitted: boolean, said: Partial<Pick<Verdict, 'because' | 'mac' | 'twin'>> = {}) =>
  ({ $typeName: 'tributary.v1.Verdict', admitted, because: '', mac: new Uint8Array(), twin: '', ...said }) as const

const ADDRESS_LIMIT = 100

/** Keep a member out whose identity another process has, and tell it: it proved the key, and so do we. */
const refuseTwin = async (
  port: MessagePort,
  twin: string | undefined,
  { key }: Credentials,
  prover: keyof AdmissionFacts,
  facts: AdmissionFacts
): Promise<void> => {
  if (twin === undefined) return
  const told = {
    because: 'another device has your identity',
    twin: twin.slice(0, ADDRESS_LIMIT),
    mac: prove(key, prover, facts)
  }
  await write(port, { case: 'verdict', value: verdict(false, told) })
  throw new RefusedError('another device has its identity', true, { isPassing: true })
}

/** @throws RefusedError; what a peer says of a twin counts only from a member: it may make this device go */
const requireAdmitted = ({ admitted, because, twin }: Verdict, isMember: boolean): void => {
  if (admitted) return
  if (!isMember) throw new RefusedError(CAME_WITH_ANOTHER, true)
  const told = twin === '' ? undefined : plainText(twin, ADDRESS_LIMIT)
  throw new RefusedError(plainText(because, 200) || 'it gave no reason', false, { twin: told })
}

/**
 * Ask for admission over a connection that we dialled. Both sides prove that they have the cluster key before either
 * answers anything else.
 * @throws RefusedError when one side refuses the other
 */
export const requestAdmission = async (
  connection: Connection,
  stream: Stream,
  credentials: Credentials
): Promise<Member> => {
  const port = createMessagePort(stream)
  const dialler = ourSide(credentials)
  const { nonce, role, incarnation } = dialler
  await write(port, { case: 'hello', value: { $typeName: 'tributary.v1.Hello', nonce, role, incarnation } })
  const proof = await read(port, 'proof')
  const listener = side(connection, proof)
  const facts = { dialler, listener }
  await requireProof(port, proof.mac, credentials, 'listener', facts)
  await refuseTwin(port, credentials.insteadOf?.(listener, connection), credentials, 'dialler', facts)
  await write(port, { case: 'verdict', value: verdict(true, { mac: prove(credentials.key, 'dialler', facts) }) })
  requireAdmitted(await read(port, 'verdict'), true)
  return listener
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
  const port = createMessagePort(stream)
  const dialler = side(connection, await read(port, 'hello'))
  const listener = ourSide(credentials)
  const facts = { dialler, listener }
  const { nonce, role, incarnation } = listener
  const mac = prove(credentials.key, 'listener', facts)
  await write(port, { case: 'proof', value: { $typeName: 'tributary.v1.Proof', nonce, mac, role, incarnation } })
  const answer = await read(port, 'verdict')
  requireAdmitted(answer, isProof(answer.mac, credentials.key, 'dialler', facts))
  await requireProof(port, answer.mac, credentials, 'dialler', facts)
  await refuseTwin(port, credentials.insteadOf?.(dialler, connection), credentials, 'listener', facts)
  admit(dialler)
  await write(port, { case: 'verdict', value: verdict(true) })
}
