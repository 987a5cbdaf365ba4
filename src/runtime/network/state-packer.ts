import { deflateRawSync } from 'node:zlib'
import { create, toBinary } from '@bufbuild/protobuf'
import {
  type DeviceState,
  DeviceStateSchema,
  type PackedState,
  PackedStateSchema
} from '../generated/tributary/v1/wire_pb.ts'

/** Deflate looks back no further: against longer ones nothing would be saved. Bytes. */
export const LONGEST_BASE = 32 * 2 ** 10
/** A state that takes more than this share of what its base took is the next base. */
const MOST_SHARE = 0.5

interface Base {
  readonly state: Uint8Array
  readonly message: PackedState
}

/**
 * A device tells nearly the same each time, of each of its links. So its states are packed against one that was told before, and say what has
 * changed since; that one is told anew where too much has. All are packed against the one, not each against the one before: none but it
 * is missed by whoever has not heard it.
 */
export class StatePacker {
  #base: Base | undefined

  /** What the others' states are packed against now; undefined before the first. */
  get base(): PackedState | undefined {
    return this.#base?.message
  }

  /** To be told to all. */
  pack(state: DeviceState): PackedState {
    const bytes = toBinary(DeviceStateSchema, state)
    const against = this.#base
    if (against !== undefined && against.message.incarnation === state.incarnation) {
      const message = packed(state, bytes, against)
      if (message.packed.length <= MOST_SHARE * against.message.packed.length) return message
    }
    const message = packed(state, bytes)
    this.#base = bytes.length > LONGEST_BASE ? undefined : { state: bytes, message }
    return message
  }
}

const packed = ({ incarnation, sequence, life }: DeviceState, state: Uint8Array, against?: Base): PackedState =>
  create(PackedStateSchema, {
    ...{ incarnation, sequence, life, bytes: BigInt(state.length) },
    base: against?.message.sequence ?? 0n,
    packed: deflateRawSync(state, against === undefined ? {} : { dictionary: against.state })
  })
