import { ControlSchema } from '../generated/tributary/v1/wire_pb.ts'
import { StraightReader } from './straight-reader.ts'

/** What a control message says before it is decoded. */
export interface ControlHead {
  readonly id: bigint
  /** Its kind, where that is all that it holds. */
  readonly kind: string | undefined
}

const KINDS = new Map(ControlSchema.fields.map(({ number, localName }) => [8 * number + 2, localName]))
const ID = 8 * ControlSchema.field.id.number
const reader = new StraightReader()

/** Without decoding what is in it. @throws where it is no message */
export const controlHead = (bytes: Uint8Array): ControlHead => {
  reader.begin(bytes)
  let id = 0n
  while (reader.at < bytes.byteLength) {
    const tag = reader.tag()
    if (tag === ID) {
      id = reader.uint64()
      continue
    }
    const kind = KINDS.get(tag)
    const isAll = kind !== undefined && reader.end() === bytes.byteLength
    if (!reader.isPlain) break
    return { id, kind: isAll ? kind : undefined }
  }
  if (!reader.isPlain) throw new Error('it ends early')
  return { id, kind: undefined }
}
