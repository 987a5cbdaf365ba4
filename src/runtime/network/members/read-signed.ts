import { fromBinary, type Message } from '@bufbuild/protobuf'
import type { GenMessage } from '@bufbuild/protobuf/codegenv2'
import type { Signed } from '../../generated/tributary/v1/wire_pb.ts'
import { isSignedBy, LONGEST_BODY, type SignedKind } from './signed.ts'

/** All that the cluster's key signs says whose key that is. */
export type OfCluster = Message & { readonly cluster: Uint8Array }

/** What `key` has signed, if it has. What says that it is of another cluster is not verified: it cannot be of this one. */
export const readSigned = <M extends OfCluster>(
  signed: Signed | undefined,
  kind: SignedKind,
  schema: GenMessage<M>,
  key: Uint8Array
): M | undefined => {
  const said = signed && readBody(signed, schema)
  if (signed === undefined || said === undefined || !isSame(said.cluster, key)) return undefined
  return isSignedBy(key, kind, signed) ? said : undefined
}

/** What it says, whoever has signed it. */
export const readBody = <M extends Message>({ body }: Signed, schema: GenMessage<M>): M | undefined => {
  if (body.length > LONGEST_BODY) return undefined
  try {
    return fromBinary(schema, body) as M
  } catch {
    return undefined
  }
}

export const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
