import { createHmac, timingSafeEqual } from 'node:crypto'
import type { DeviceId } from '../../core/ids.ts'
import type { Role } from '../ports/network.ts'
import type { ClusterKey } from './cluster-key.ts'

/** What one side says about itself in the handshake; the peer id is the one that TLS authenticated. */
export interface AdmissionSide {
  readonly peer: DeviceId
  readonly role: Role
  readonly nonce: Uint8Array
  readonly incarnation: bigint
}

/** Both sides, told apart by who dialled. */
export interface AdmissionFacts {
  readonly dialler: AdmissionSide
  readonly listener: AdmissionSide
}

export const NONCE_BYTES = 32

const DOMAIN = 'tributary/admission/1'

/**
 * HMAC-SHA256 with the cluster key over everything both sides said, and over which of them proves. Fields carry their
 * length, so no two transcripts are the same bytes; the prover's side is in it, so a proof cannot be sent back to its
 * maker; the nonces make it fresh and the peer ids bind it to this TLS connection, so it cannot be passed on.
 */
export const prove = (key: ClusterKey, prover: keyof AdmissionFacts, facts: AdmissionFacts): Uint8Array => {
  const mac = createHmac('sha256', key)
  const field = (content: string | Uint8Array): void => {
    const bytes = Buffer.from(content)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    mac.update(length).update(bytes)
  }
  field(DOMAIN)
  field(prover)
  for (const { peer, role, nonce, incarnation } of [facts.dialler, facts.listener]) {
    field(peer)
    field(role)
    field(nonce)
    field(incarnation.toString())
  }
  return new Uint8Array(mac.digest())
}

/** In constant time. */
export const isProof = (
  mac: Uint8Array,
  key: ClusterKey,
  prover: keyof AdmissionFacts,
  facts: AdmissionFacts
): boolean => {
  const expected = prove(key, prover, facts)
  return mac.byteLength === expected.byteLength && timingSafeEqual(mac, expected)
}
