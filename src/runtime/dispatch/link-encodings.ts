import {
  type ActivationEncoding,
  chooseEncoding,
  type EncodingChoice,
  encodedRate,
  SENT_PER_BYTE
} from '../../core/activation-encoding.ts'
import type { DeviceId } from '../../core/ids.ts'
import type { Tensor } from '../../core/tensor.ts'
import type { BytesPerSecond } from '../../core/units.ts'
import type { WireTensor } from '../ports/wire-tensor.ts'
import { CodecMeter } from './codec-meter.ts'
import { type DeviceTask, plainBytes } from './device-task.ts'
import { decodeTensor } from './tensor-codec.ts'

/** Of what was counted before, with each datum: about the last twenty count. */
const KEPT = 0.95

interface LinkEncoding {
  encoding: ActivationEncoding
  /** Bytes of the activations that went this way, and of these what could be encoded. Not results: those are small. */
  whole: number
  encoded: number
}

/** How activations travel on each link of this device: chosen by what the link and the codec take. */
export class LinkEncodings {
  readonly #choice: EncodingChoice
  readonly #links = new Map<DeviceId, LinkEncoding>()
  /** Absent where nothing is ever encoded here. */
  readonly #codec: CodecMeter | undefined

  constructor(choice: EncodingChoice, now: () => number) {
    this.#choice = choice
    this.#codec = choice === 'fp32' ? undefined : new CodecMeter(now)
  }

  encodingTo(peer: DeviceId): ActivationEncoding {
    return this.#links.get(peer)?.encoding ?? (this.#choice === 'auto' ? 'fp32' : this.#choice)
  }

  /** Choose for a link of this rate. @returns bytes of activation a second that it carries so */
  choose(peer: DeviceId, rate: BytesPerSecond): BytesPerSecond {
    if (this.#codec === undefined) return rate
    const { costs } = this.#codec
    const link = this.#link(peer)
    link.encoding = chooseEncoding(this.#choice, rate, costs)
    return encodedRate(link.encoding, rate, costs, link.whole === 0 ? 1 : link.encoded / link.whole)
  }

  /**
   * A datum's tensors as they travel to a peer. What came encoded goes on as it is, unless this link wants it smaller;
   * results go home as they are.
   */
  encode(peer: DeviceId, task: DeviceTask, blocks: number): readonly WireTensor[] {
    const codec = this.#codec
    const { encoding } = this.#link(peer)
    if (codec === undefined || encoding === 'fp32' || task.done === blocks) return task.tensors
    const wire = task.tensors.map(tensor => encodeWith(codec, tensor, encoding))
    note(this.#link(peer), task.tensors, wire)
    return wire
  }

  /** For a block to run on, or for whoever reads results. */
  decode(tensors: readonly WireTensor[]): readonly Tensor[] {
    return tensors.map(tensor => this.#codec?.decode(tensor) ?? decodeTensor(tensor))
  }

  /** It is gone for good. */
  forget(peer: DeviceId): void {
    this.#links.delete(peer)
  }

  #link(peer: DeviceId): LinkEncoding {
    const link = this.#links.get(peer) ?? { encoding: this.encodingTo(peer), whole: 0, encoded: 0 }
    this.#links.set(peer, link)
    return link
  }
}

const encodeWith = (codec: CodecMeter, tensor: WireTensor, encoding: ActivationEncoding): WireTensor => {
  if (tensor.type !== 'encoded') return codec.encode(tensor, encoding)
  if (SENT_PER_BYTE[encoding] >= SENT_PER_BYTE[tensor.encoding]) return tensor
  return codec.encode(codec.decode(tensor), encoding)
}

const note = (link: LinkEncoding, tensors: readonly WireTensor[], wire: readonly WireTensor[]): void => {
  const sizes = tensors.map(plainBytes)
  const sum = (of: readonly number[]): number => of.reduce((total, size) => total + size, 0)
  link.whole = KEPT * link.whole + sum(sizes)
  link.encoded = KEPT * link.encoded + sum(sizes.filter((_, i) => wire[i]!.type === 'encoded'))
}
