import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf'
import type { Signed } from '../../generated/tributary/v1/wire_pb.ts'
import { isSignedBy, type SignedKind } from './signed.ts'

/** What `key` has signed, if it has: nothing of it is looked at before. */
export const readSigned = <D extends DescMessage>(
  signed: Signed | undefined,
  kind: SignedKind,
  schema: D,
  key: Uint8Array
): MessageShape<D> | undefined => {
  if (signed === undefined || !isSignedBy(key, kind, signed)) return undefined
  return readBody(signed, schema)
}

/** Of what may be signed by anybody. */
export const readBody = <D extends DescMessage>(signed: Signed, schema: D): MessageShape<D> | undefined => {
  try {
    return fromBinary(schema, signed.body)
  } catch {
    return undefined
  }
}

export const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
