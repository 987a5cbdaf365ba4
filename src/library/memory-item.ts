import type { Tensor } from '../core/tensor.ts'
import { type ItemLike, isTensor, type Tensors, toTensors } from '../runtime/io/tensor-like.ts'
import type { Item } from '../runtime/ports/data-port.ts'

/** A datum that a program handed over: kept until its outcome is known, since it may have to be sent out again. */
export interface MemoryItem extends Item {
  /** Undefined where what was handed over is no datum, which `because` says. */
  readonly tensors: readonly Tensor[] | undefined
  readonly because: string
}

/** Copied, so that its owner may go on with it. What is no datum becomes one that fails, and says why. */
export const memoryItem = (given: ItemLike, datum: number): MemoryItem => {
  const name = String(datum)
  try {
    const { name: own, tensors } = isNamed(given) ? given : { name: undefined, tensors: given }
    return { name: own ?? name, tensors: toTensors(tensors), because: '' }
  } catch (error) {
    return { name, tensors: undefined, because: (error as Error).message }
  }
}

const isNamed = (given: ItemLike): given is { readonly name?: string; readonly tensors: Tensors } =>
  typeof given === 'object' && given !== null && !isTensor(given) && !Array.isArray(given) && 'tensors' in given
