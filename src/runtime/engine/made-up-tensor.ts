import { ELEMENT_TYPES, elementCount, type Tensor } from '../../core/tensor.ts'
import type { MadeUpInput } from './lane-protocol.ts'

/** 0.5 as IEEE 754 half precision. */
const HALF = 0x3800

/**
 * Something to time a block on: floats are 0.5, neither denormal nor so large that they overflow; everything else is
 * zero, a valid index wherever there is one; strings are empty.
 */
export const madeUpTensor = ({ name, type, dims }: MadeUpInput): Tensor => {
  const count = elementCount(dims)
  const data = new Uint8Array(count * (type === 'string' ? 4 : ELEMENT_TYPES[type]))
  if (type === 'float32') new Float32Array(data.buffer).fill(0.5)
  else if (type === 'float64') new Float64Array(data.buffer).fill(0.5)
  else if (type === 'float16') new Uint16Array(data.buffer).fill(HALF)
  return { name, type, dims, data }
}
