import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { type DeviceState, DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'

const { device, name, incarnation, sequence } = DeviceStateSchema.field

/** Which of its author's states it is, without decoding the rest. @returns undefined where it does not begin as states do */
export const stateHead = (bytes: Uint8Array): Pick<DeviceState, 'incarnation' | 'sequence'> | undefined => {
  const head = { incarnation: 0n, sequence: 0n }
  try {
    const reader = new BinaryReader(bytes)
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag()
      if (field > sequence.number) return head
      if (field === device.number || field === name.number) reader.skip(type, field)
      else if (type !== WireType.Varint) return undefined
      else if (field === incarnation.number) head.incarnation = BigInt(reader.uint64())
      else head.sequence = BigInt(reader.uint64())
    }
    return head
  } catch {
    return undefined
  }
}
