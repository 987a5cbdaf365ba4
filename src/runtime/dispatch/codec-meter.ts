import type { ActivationEncoding, CodecCosts } from '../../core/activation-encoding.ts'
import type { Tensor } from '../../core/tensor.ts'
import type { EncodedTensor, WireTensor } from '../ports/wire-tensor.ts'
import { decodeTensor, encodeTensor } from './tensor-codec.ts'

type Coded = EncodedTensor['encoding']

/** Of the newest measurement in the averages. */
const WEIGHT = 0.1
/** Fewer bytes of float32 measure the clock. */
const MEASURABLE = 32 * 1024
/** What is coded at the start to learn what it takes: until the code is warm. */
const SAMPLE_ELEMENTS = 1 << 14
const ROUNDS = 6

/**
 * Encodes and decodes, and knows what that takes here, in seconds for each byte of float32: the best of a few rounds at
 * the start, then averages over what really happens. The other end of a link is taken to be as fast.
 */
export class CodecMeter {
  /** Seconds on a steady clock. */
  readonly #now: () => number
  readonly #encode: Record<Coded, number> = { fp16: Number.POSITIVE_INFINITY, int8: Number.POSITIVE_INFINITY }
  readonly #decode: Record<Coded, number> = { fp16: Number.POSITIVE_INFINITY, int8: Number.POSITIVE_INFINITY }

  constructor(now: () => number) {
    this.#now = now
    const sample = sampleTensor()
    for (const encoding of ['fp16', 'int8'] as const)
      for (let round = 0; round < ROUNDS; round++) {
        const before = now()
        const encoded = encodeTensor(sample, encoding)
        const between = now()
        decodeTensor(encoded)
        const { byteLength } = sample.data
        this.#encode[encoding] = Math.min(this.#encode[encoding], (between - before) / byteLength)
        this.#decode[encoding] = Math.min(this.#decode[encoding], (now() - between) / byteLength)
      }
  }

  get costs(): CodecCosts {
    const cost = (encoding: Coded): number => this.#encode[encoding] + this.#decode[encoding]
    return { fp32: 0, fp16: cost('fp16'), int8: cost('int8') }
  }

  encode(tensor: Tensor, encoding: ActivationEncoding): WireTensor {
    if (encoding === 'fp32') return tensor
    const before = this.#now()
    const encoded = encodeTensor(tensor, encoding)
    if (encoded.type === 'encoded') this.#note(this.#encode, encoding, tensor.data.byteLength, before)
    return encoded
  }

  decode(tensor: WireTensor): Tensor {
    if (tensor.type !== 'encoded') return tensor
    const before = this.#now()
    const decoded = decodeTensor(tensor)
    this.#note(this.#decode, tensor.encoding, decoded.data.byteLength, before)
    return decoded
  }

  #note(costs: Record<Coded, number>, encoding: Coded, size: number, before: number): void {
    if (size < MEASURABLE) return
    costs[encoding] += WEIGHT * ((this.#now() - before) / size - costs[encoding])
  }
}

/** Numbers of both signs and many sizes. */
const sampleTensor = (): Tensor => {
  const values = Float32Array.from({ length: SAMPLE_ELEMENTS }, (_, i) => Math.sin(i) * (i % 97))
  return { name: '', type: 'float32', dims: [SAMPLE_ELEMENTS], data: new Uint8Array(values.buffer) }
}
