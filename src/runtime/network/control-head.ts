import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { ControlSchema } from '../generated/tributary/v1/wire_pb.ts'

/** What a control message says before it is decoded. */
export interface ControlHead {
  readonly id: bigint
  /** Its kind, where that is all that it holds. */
  readonly kind: string | undefined
}

const KINDS = new Map(ControlSchema.fields.map(({ number, localName }) => [number, localName]))
const ID = ControlSchema.field.id.number

/** Without decoding what is in it. @throws where it is no message */
export const controlHead = (bytes: Uint8Array): ControlHead => {
  const reader = new BinaryReader(bytes)
  let id = 0n
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    if (field === ID && type === WireType.Varint) {
      id = BigInt(reader.uint64())
      continue
    }
    reader.skip(type, field)
    return { id, kind: reader.pos === reader.len ? KINDS.get(field) : undefined }
  }
  return { id, kind: undefined }
}
