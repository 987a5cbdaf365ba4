import { inflateRawSync } from 'node:zlib'
import { fromBinary } from '@bufbuild/protobuf'
import type { DeviceId } from '../../core/ids.ts'
import { type DeviceState, DeviceStateSchema, type PackedState } from '../generated/tributary/v1/wire_pb.ts'
import { BoundedMap } from './bounded-map.ts'
import { LONGEST_BASE } from './state-packer.ts'

/** Slow state only: a status in JSON and what a device carries. Bytes. */
export const STATE_LIMIT = 1 << 20

/** Devices of which a base is kept. */
const MOST_AUTHORS = 1024

type BaseHead = Pick<PackedState, 'incarnation' | 'life' | 'sequence'>

interface Base extends BaseHead {
  readonly state: Uint8Array
}

/** Of the same process: copies of a device count alike. */
export const isPackedAgainst = (message: PackedState, base: BaseHead): boolean =>
  base.sequence === message.base && base.incarnation === message.incarnation && base.life === message.life

export type Unpacked =
  | { readonly kind: 'state'; readonly state: DeviceState }
  /** It is packed against one that is not here. */
  | { readonly kind: 'baseMissing' }
  | { readonly kind: 'malformed' }

/** The other side of `StatePacker`: keeps of each author what its states are packed against. */
export class StateUnpacker {
  readonly #bases = new BoundedMap<DeviceId, Base>(MOST_AUTHORS)

  /** One that stands for itself is its author's base from now on. */
  unpack(from: DeviceId, message: PackedState): Unpacked {
    const isAlone = message.base === 0n
    const base = isAlone ? undefined : this.#baseOf(from, message)
    if (!isAlone && base === undefined) return { kind: 'baseMissing' }
    try {
      const bytes = inflated(message, base?.state)
      const state = fromBinary(DeviceStateSchema, bytes)
      if (state.device !== from || !isOf(message, state)) return { kind: 'malformed' }
      if (isAlone) this.#keep(from, message, bytes)
      return { kind: 'state', state }
    } catch {
      return { kind: 'malformed' }
    }
  }

  #baseOf(from: DeviceId, message: PackedState): Base | undefined {
    const known = this.#bases.get(from)
    return known !== undefined && isPackedAgainst(message, known) ? known : undefined
  }

  /** The newer one of the same process: what was asked for may come after one that was told since. */
  #keep(from: DeviceId, { incarnation, life, sequence }: PackedState, state: Uint8Array): void {
    const known = this.#bases.get(from)
    const isOld = known?.life === life && known.incarnation === incarnation && known.sequence > sequence
    if (!isOld && state.length <= LONGEST_BASE) this.#bases.set(from, { incarnation, life, sequence, state })
  }
}

const isOf = ({ incarnation, sequence, life }: PackedState, state: DeviceState): boolean =>
  state.incarnation === incarnation && state.sequence === sequence && state.life === life

/** @throws where it is not what was packed, longer than it says, or too long */
const inflated = ({ bytes, packed }: PackedState, dictionary: Uint8Array | undefined): Uint8Array => {
  const size = Number(bytes)
  if (size > STATE_LIMIT) throw new RangeError(`a state of ${size} B, the limit is ${STATE_LIMIT} B`)
  const state = inflateRawSync(packed, {
    maxOutputLength: Math.max(1, size),
    ...(dictionary === undefined ? {} : { dictionary })
  })
  if (state.length !== size) throw new RangeError(`a state of ${state.length} B that says ${size} B`)
  return state
}
