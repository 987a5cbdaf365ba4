import { outputDifferences } from '../../core/compare-outputs.ts'
import type { ElementType, Tensor } from '../../core/tensor.ts'
import type { WireTensor } from '../ports/wire-tensor.ts'
import { decodeTensor } from './tensor-codec.ts'

/**
 * How far what two devices compute of the same input may be apart, of its largest magnitude: other processors add in another
 * order and fuse other operators. Other integers than those of eight bits are exact.
 */
const RELATIVE: Partial<Record<ElementType, number>> = { float64: 1e-6, float32: 1e-3, float16: 1e-2 }
/** What is quantised may fall into the next step. */
const STEPS: Partial<Record<ElementType, number>> = { int8: 2, uint8: 2 }
/** And what is made of quantised activations may be off by what that amounts to. */
const OF_QUANTISED = 5e-2
/** What the encoding of a link adds, of the largest magnitude: half a step of at most two magnitudes in 255; half of 2^-10. */
const ENCODED = { int8: 1 / 255, fp16: 2 ** -11 }
const LARGEST_HALF = 65_504

/**
 * Whether what travelled is what was computed of the same input elsewhere, as far as processors and the encodings of links let
 * it be. NaN is like NaN.
 */
export const areAlike = (travelled: readonly WireTensor[], computed: readonly Tensor[]): boolean => {
  if (travelled.length !== computed.length) return false
  const plain = new Map(computed.map(tensor => [tensor.name, tensor]))
  const isQuantised = computed.some(({ type }) => STEPS[type] !== undefined)
  return travelled.every(sent => {
    const own = plain.get(sent.name)
    if (own === undefined) return false
    const isHalf = sent.type === 'encoded' && sent.encoding === 'fp16'
    const [found] = outputDifferences([isHalf ? clamped(own) : own], [decodeTensor(sent)])
    const { difference, magnitude, type } = found!
    const relative = RELATIVE[type] ?? 0
    const coarser = relative > 0 && isQuantised ? OF_QUANTISED : relative
    const encoded = sent.type === 'encoded' ? ENCODED[sent.encoding] : 0
    return difference <= magnitude * (coarser + encoded) + (STEPS[type] ?? 0)
  })
}

/** As half precision has it. */
const clamped = (tensor: Tensor): Tensor => {
  if (tensor.type !== 'float32') return tensor
  const values = new Float32Array(tensor.data.slice().buffer).map(x =>
    Number.isFinite(x) ? Math.max(-LARGEST_HALF, Math.min(LARGEST_HALF, x)) : x
  )
  return { ...tensor, data: new Uint8Array(values.buffer) }
}
