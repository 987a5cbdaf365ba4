import { elementCount, type Tensor } from '../../core/tensor.ts'
import { numbersOf } from './tensor-numbers.ts'

/** Enough to compare two results, few enough for a line of a sink. */
const MOST = 256

/** Some of a tensor's elements, at equal distances, the first among them; none of strings. */
export const sampleOf = (tensor: Tensor): number[] => {
  if (tensor.type === 'string') return []
  const numbers = numbersOf(tensor)
  const count = elementCount(tensor.dims)
  const length = Math.min(MOST, count)
  return Array.from({ length }, (_, i) => Number(numbers[Math.floor((i * count) / length)]))
}
