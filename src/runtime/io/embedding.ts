import type { Tensor } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import { numbersOf } from './tensor-numbers.ts'

export interface EmbeddingOptions {
  /** Of the output; the first when absent. */
  readonly name?: string | undefined
  /** What becomes of the tokens of an output [1, tokens, size]: their mean, or the first. */
  readonly pool: 'mean' | 'first'
  /** To length 1. */
  readonly normalize: boolean
}

/** One vector for an item. @throws UserError when there is no such output, or it is not one vector or one for each token */
export const embedding = (outputs: readonly Tensor[], { name, pool, normalize }: EmbeddingOptions): number[] => {
  const tensor = name === undefined ? outputs[0] : outputs.find(output => output.name === name)
  if (tensor === undefined)
    throw new UserError(
      `output.name "${name}" is not an output of the model (known: ${outputs.map(output => output.name).join(', ')})`
    )
  const vector = pooled(tensor, pool)
  const length = normalize ? Math.hypot(...vector) || 1 : 1
  return vector.map(number => Math.fround(number / length))
}

const pooled = (tensor: Tensor, pool: EmbeddingOptions['pool']): number[] => {
  const { name, type, dims } = tensor
  const inner = dims.filter((dim, i) => dim !== 1 || i === dims.length - 1)
  const size = inner.at(-1) ?? 1
  if (inner.length > 2 || size === 0)
    throw new UserError(
      `output kind embedding takes [1, size] or [1, tokens, size] of one item; the model gives ${name} ${type}[${dims.join(', ')}]`
    )
  const numbers = numbersOf(tensor)
  const tokens = pool === 'first' ? 1 : numbers.length / size
  return Array.from({ length: size }, (_, i) => {
    let sum = 0
    for (let token = 0; token < tokens; token++) sum += numbers[token * size + i]!
    return sum / tokens
  })
}
