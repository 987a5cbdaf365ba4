import type { Tensor } from '../../core/tensor.ts'

/**
 * A float32 tensor in fewer bytes. `fp16`: IEEE 754 half precision, little endian. `int8`: one byte an element,
 * value = scale * (byte - zeroPoint), byte and zero point 0 .. 255.
 */
export interface EncodedTensor {
  readonly name: string
  readonly type: 'encoded'
  readonly dims: readonly number[]
  readonly encoding: 'fp16' | 'int8'
  /** Of int8; otherwise 0. */
  readonly scale: number
  readonly zeroPoint: number
  readonly data: Uint8Array<ArrayBuffer>
}

/** A tensor as it travels. */
export type WireTensor = Tensor | EncodedTensor

/** In the tensor's header; 0 for what travels as it is. */
export const ENCODING_NUMBERS = { fp16: 1, int8: 2 } as const
