import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { type Signed, SignedSchema } from '../../generated/tributary/v1/wire_pb.ts'
import { BoundedMap } from '../bounded-map.ts'

/** What was signed: a signature of one kind is none of another. */
export type SignedKind = 'certificate' | 'pass' | 'ticket' | 'ticket proof' | 'removal' | 'ticket use' | 'rotation'

/** Bytes of an Ed25519 seed, and of a public key. */
export const KEY_BYTES = 32
const SIGNATURE_BYTES = 64
/** Of what is signed: names and ids are short. */
export const LONGEST_BODY = 4096

// RFC 8410: what comes before the key's bytes.
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

/** Made once of the few keys that sign most: the cluster's, and those of its members. */
const MOST_KEYS = 256
const keyObjects = new BoundedMap<string, KeyObject>(MOST_KEYS)

/** @throws where the bytes are no point of the curve */
const keyObjectOf = (key: Uint8Array): KeyObject => {
  const name = Buffer.from(key).toString('base64')
  const made = keyObjects.get(name) ?? createPublicKey({ key: Buffer.concat([SPKI, key]), format: 'der', type: 'spki' })
  keyObjects.set(name, made)
  return made
}

const privateKeyOf = (seed: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })

/** Of an Ed25519 seed (RFC 8032). */
export const publicKeyOf = (seed: Uint8Array): Uint8Array =>
  new Uint8Array(createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' }).subarray(SPKI.length))

/** The kind, its length, the body: no two of them are the same bytes. */
export const signedBytes = (kind: SignedKind, body: Uint8Array): Uint8Array => {
  const name = Buffer.from(`tributary/${kind}/1`)
  return new Uint8Array(Buffer.concat([Buffer.of(name.length), name, body]))
}

export const signAs = (kind: SignedKind, body: Uint8Array, seed: Uint8Array): Signed =>
  create(SignedSchema, { body, signature: new Uint8Array(sign(null, signedBytes(kind, body), privateKeyOf(seed))) })

export const isSignedBy = (key: Uint8Array, kind: SignedKind, { body, signature }: Signed): boolean => {
  if (key.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES || body.length > LONGEST_BODY) return false
  try {
    return verify(null, signedBytes(kind, body), keyObjectOf(key), signature)
  } catch {
    return false // not a point of the curve
  }
}
