import type { Rng } from './rng.ts'
import { ELEMENT_TYPES, type ElementType, elementCount, type Tensor } from './tensor.ts'

/**
 * A tensor with seeded values that most models accept: small floats, zeros and ones for integers and booleans (so that
 * an index stays in range and a sequence has a mask), empty strings.
 */
export const madeUpTensor = (name: string, type: ElementType, dims: readonly number[], rng: Rng): Tensor => {
  const count = elementCount(dims)
  return { name, type, dims, data: new Uint8Array(fill(type, count, rng).buffer) }
}

const fill = (type: ElementType, count: number, rng: Rng): { readonly buffer: ArrayBuffer } => {
  const bit = (): number => (rng.next() < 0.5 ? 0 : 1)
  switch (type) {
    case 'float32':
      return Float32Array.from({ length: count }, () => rng.next() * 2 - 1)
    case 'float64':
      return Float64Array.from({ length: count }, () => rng.next() * 2 - 1)
    case 'float16': // sign, exponent of 1/2 to 1, random fraction
      return Uint16Array.from({ length: count }, () => (bit() << 15) | 0x3800 | Math.floor(rng.next() * 1024))
    case 'int64':
    case 'uint64':
      return BigInt64Array.from({ length: count }, () => BigInt(bit()))
    case 'string': // a length of zero for each
      return new Uint32Array(count)
    default: {
      const data = new Uint8Array(count * ELEMENT_TYPES[type])
      for (let i = 0; i < count; i++) data[i * ELEMENT_TYPES[type]] = bit()
      return data
    }
  }
}
