import { webcrypto } from 'node:crypto'
import { publicKeyFromProtobuf, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromCID } from '@libp2p/peer-id'
import { encodeSignatureData } from '@libp2p/tls/utils'
import { Extension, PemConverter, X509Certificate, X509CertificateGenerator } from '@peculiar/x509'
import { fromBER, OctetString, Sequence } from 'asn1js'
import { NetworkError } from '../ports/network.ts'
import type { Identity } from './identity.ts'

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

const EXTENSION = '1.3.6.1.4.1.53594.1.1'
// The types of Node's and of the browser's differ by algorithms that are not used here.
const crypto = webcrypto as unknown as Crypto
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
/** In front of the incarnation in a serial number, which must be positive and not begin with zeros. */
const SERIAL_PREFIX = '01'

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
 * Specification: https://github.com/libp2p/specs/blob/master/tls/tls.md
 *
 * @param validity read by nobody here; implementations of libp2p that are not ours look at it
 */
export const createCertificate = async (
  identity: Identity,
  incarnation: bigint,
  validity: Validity = ALWAYS
): Promise<Certificate> => {
  const { subtle } = crypto
  const keys = await subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const signed = encodeSignatureData(await subtle.exportKey('spki', keys.publicKey))
  const proof = new Sequence({
    value: [
      new OctetString({ valueHex: publicKeyToProtobuf(identity.publicKey) }),
      new OctetString({ valueHex: await identity.sign(signed) })
    ]
  })
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: SERIAL_PREFIX + incarnation.toString(16).padStart(16, '0'),
      ...validity,
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [new Extension(EXTENSION, true, proof.toBER())]
    },
    crypto
  )
  const key = PemConverter.encode(await subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { cert: certificate.toString('pem'), key }
}

/**
 * Whose certificate it is. Its dates are not looked at: who a peer is does not depend on what time either side thinks
 * it is, and boards without a clock's battery are years apart.
 * @throws NetworkError when it is not signed by itself, or by the peer that it names
 */
export const verifyCertificate = async (raw: Uint8Array): Promise<CertifiedPeer> => {
  try {
    return await verified(new X509Certificate(new Uint8Array(raw)))
  } catch (error) {
    throw new NetworkError(`its certificate is wrong: ${(error as Error).message}`, { cause: error })
  }
}

const verified = async (certificate: X509Certificate): Promise<CertifiedPeer> => {
  if (certificate.subject !== certificate.issuer) throw new Error('it is not signed by itself')
  if (!(await certificate.verify({ signatureOnly: true }, crypto))) throw new Error('its signature does not fit')
  const extension = certificate.getExtension(EXTENSION)
  if (extension === null) throw new Error("libp2p's extension is missing")
  const { result } = fromBER(extension.value)
  const [key, signature] = result instanceof Sequence ? result.valueBlock.value : []
  if (!(key instanceof OctetString && signature instanceof OctetString)) throw new Error('its extension is malformed')
  const publicKey = publicKeyFromProtobuf(key.valueBlock.valueHexView)
  const signed = encodeSignatureData(certificate.publicKey.rawData)
  if (!(await publicKey.verify(signed, signature.valueBlock.valueHexView)))
    throw new Error('the peer that it names did not sign it')
  return { peer: peerIdFromCID(publicKey.toCID()), incarnation: incarnationIn(certificate.serialNumber) }
}

const incarnationIn = (serial: string): bigint | undefined =>
  new RegExp(`^${SERIAL_PREFIX}[0-9a-f]{16}$`).test(serial) ? BigInt(`0x${serial.slice(2)}`) : undefined
