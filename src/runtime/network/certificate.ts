import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import { publicKeyFromProtobuf, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromCID } from '@libp2p/peer-id'
import { NetworkError } from '../ports/network.ts'
import type { Identity } from './identity.ts'
import { type DerValue, readDer } from './read-der.ts'
import { writeDer } from './write-der.ts'

/** What TLS shows to peers, and the key to it. PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface Validity {
  readonly notBefore: Date
  readonly notAfter: Date
}

/** What a peer's certificate says. */
export interface CertifiedPeer {
  readonly peer: PeerId
  /** Of the process that made it; undefined where that is not one of ours. */
  readonly incarnation: bigint | undefined
}

/** Tags of ASN.1. Those in brackets are what a certificate numbers itself. */
const [BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OBJECT, UTC_TIME, GENERALIZED_TIME, SEQUENCE] = [
  0x01, 0x02, 0x03, 0x04, 0x06, 0x17, 0x18, 0x30
]
const [NUMBER_0, NUMBER_3] = [0xa0, 0xa3]

/** 1.2.840.10045.4.3.2, ECDSA with SHA-256. */
const ALGORITHM = writeDer(SEQUENCE, writeDer(OBJECT, Buffer.from('2a8648ce3d040302', 'hex')))
/** 1.3.6.1.4.1.53594.1.1, libp2p's. */
const EXTENSION = Buffer.from('2b0601040183a25a0101', 'hex')
/** In front of the key that the peer signs. */
const SIGNED_PREFIX = Buffer.from('libp2p-tls-handshake:')
/** In front of the incarnation in a serial number, which must be positive and not begin with zeros. */
const SERIAL_PREFIX = '01'
/** From this year on a date has its century. */
const LONG_YEARS = 2050

/** A board without a clock's battery starts in 1970; RFC 5280, 4.1.2.5, has the second date for "no end". */
const ALWAYS: Validity = {
  notBefore: new Date('1970-01-01T00:00:00Z'),
  notAfter: new Date('9999-12-31T23:59:59Z')
}

/**
 * A self-signed certificate as libp2p's specification of TLS has it: a key of its own, and in an extension the peer's
 * public key and its signature of that key. The serial number is the incarnation: a peer that has our identity but is
 * not this process is known at once.
 *
 * It is written here, and read below, a value at a time: libraries that know all of X.509 are half a megabyte of code, which every
 * device would load when it starts.
 *
 * Specifications: https://github.com/libp2p/specs/blob/master/tls/tls.md, RFC 5280, 4.1
 *
 * @param validity read by nobody here; implementations of libp2p that are not ours look at it
 */
export const createCertificate = async (
  identity: Identity,
  incarnation: bigint,
  validity: Validity = ALWAYS
): Promise<Certificate> => {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const own = keys.publicKey.export({ type: 'spki', format: 'der' })
  const proof = writeDer(
    SEQUENCE,
    writeDer(OCTET_STRING, publicKeyToProtobuf(identity.publicKey)),
    writeDer(OCTET_STRING, await identity.sign(Buffer.concat([SIGNED_PREFIX, own])))
  )
  const nobody = writeDer(SEQUENCE)
  const signed = writeDer(
    SEQUENCE,
    writeDer(NUMBER_0, writeDer(INTEGER, Uint8Array.of(2))), // the third version, which has extensions
    writeDer(INTEGER, Buffer.from(SERIAL_PREFIX + incarnation.toString(16).padStart(16, '0'), 'hex')),
    ALGORITHM,
    nobody,
    writeDer(SEQUENCE, timeOf(validity.notBefore), timeOf(validity.notAfter)),
    nobody,
    own,
    writeDer(NUMBER_3, writeDer(SEQUENCE, extensionOf(proof)))
  )
  const signature = writeDer(BIT_STRING, Uint8Array.of(0), sign('sha256', signed, keys.privateKey))
  return {
    cert: toPem('CERTIFICATE', writeDer(SEQUENCE, signed, ALGORITHM, signature)),
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  }
}

/** One that must be understood. */
const extensionOf = (proof: Uint8Array): Uint8Array =>
  writeDer(SEQUENCE, writeDer(OBJECT, EXTENSION), writeDer(BOOLEAN, Uint8Array.of(0xff)), writeDer(OCTET_STRING, proof))

/** To the second; RFC 5280, 4.1.2.5. */
const timeOf = (date: Date): Uint8Array => {
  const text = `${date.toISOString().slice(0, 19).replace(/\D/g, '')}Z`
  return date.getUTCFullYear() < LONG_YEARS
    ? writeDer(UTC_TIME, Buffer.from(text.slice(2)))
    : writeDer(GENERALIZED_TIME, Buffer.from(text))
}

const toPem = (what: string, bytes: Uint8Array): string => {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${what}-----`, ...lines, `-----END ${what}-----`, ''].join('\n')
}

/**
 * Whose certificate it is. Its dates are not looked at: who a peer is does not depend on what time either side thinks
 * it is, and boards without a clock's battery are years apart.
 * @throws NetworkError when it is not signed by itself, or by the peer that it names
 */
export const verifyCertificate = async (raw: Uint8Array): Promise<CertifiedPeer> => {
  try {
    return await verified(new X509Certificate(raw))
  } catch (error) {
    throw new NetworkError(`its certificate is wrong: ${(error as Error).message}`, { cause: error })
  }
}

/** OpenSSL has read it: what is wrong with the form of a certificate has been refused. */
const verified = async (certificate: X509Certificate): Promise<CertifiedPeer> => {
  const { key: own, issuer, subject, extensions } = partsOf(certificate.raw)
  if (Buffer.compare(issuer.whole, subject.whole) !== 0) throw new Error('it is not signed by itself')
  if (!certificate.verify(certificate.publicKey)) throw new Error('its signature does not fit')
  const [key, signature] = proofIn(extensions)
  const publicKey = publicKeyFromProtobuf(key)
  if (!(await publicKey.verify(Buffer.concat([SIGNED_PREFIX, own.whole]), signature)))
    throw new Error('the peer that it names did not sign it')
  return { peer: peerIdFromCID(publicKey.toCID()), incarnation: incarnationIn(certificate.serialNumber) }
}

interface Parts {
  readonly issuer: DerValue
  readonly subject: DerValue
  /** With what it is for. */
  readonly key: DerValue
  readonly extensions: readonly DerValue[]
}

/** Of what is signed: version, serial number, algorithm, issuer, validity, subject, key, and by their numbers what may follow. */
const partsOf = (raw: Uint8Array): Parts => {
  const signed = within(within(only(raw, SEQUENCE))[0]!)
  const [version, , , issuer, , subject, key, ...more] = signed
  if (version?.tag !== NUMBER_0 || key === undefined) throw new Error('it is of a version without extensions')
  const extensions = more.find(({ tag }) => tag === NUMBER_3)
  return {
    ...{ issuer: issuer!, subject: subject!, key },
    extensions: extensions === undefined ? [] : within(only(extensions.content, SEQUENCE))
  }
}

/** The peer's key, and its signature. */
const proofIn = (extensions: readonly DerValue[]): readonly [Uint8Array, Uint8Array] => {
  const extension = extensions.map(within).find(([name]) => name?.tag === OBJECT && EXTENSION.equals(name.content))
  if (extension === undefined) throw new Error("libp2p's extension is missing")
  const [key, signature] = within(only(extension.at(-1)!.content, SEQUENCE))
  if (key?.tag !== OCTET_STRING || signature?.tag !== OCTET_STRING) throw new Error('its extension is malformed')
  return [key.content, signature.content]
}

const within = ({ content }: DerValue): readonly DerValue[] => readDer(content)

/** The one value that stands there. */
const only = (bytes: Uint8Array, tag: number): DerValue => {
  const [value, ...more] = readDer(bytes)
  if (value?.tag !== tag || more.length > 0) throw new Error('its extension is malformed')
  return value
}

const incarnationIn = (serial: string): bigint | undefined =>
  new RegExp(`^${SERIAL_PREFIX}[0-9a-f]{16}$`, 'i').test(serial) ? BigInt(`0x${serial.slice(2)}`) : undefined
