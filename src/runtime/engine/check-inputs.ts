import { ELEMENT_TYPES, elementCount, type Tensor, type TensorSpec } from '../../core/tensor.ts'
import { EngineError } from '../ports/engine.ts'

/** Before anything is handed over: exactly the named tensors, of the right type, with as many bytes as their shape says. */
export const checkInputs = (block: string, specs: readonly TensorSpec[], inputs: readonly Tensor[]): void => {
  const takes = (): string => `it takes: ${specs.map(spec => spec.name).join(', ')}`
  for (const { name, type } of specs) {
    const given = inputs.filter(tensor => tensor.name === name)
    if (given.length !== 1)
      throw new EngineError(`${block} needs "${name}" once and got it ${given.length} times; ${takes()}`)
    if (given[0]!.type !== type) throw new EngineError(`${block} needs "${name}" as ${type} and got ${given[0]!.type}`)
  }
  for (const { name, type, dims, data } of inputs) {
    if (!specs.some(spec => spec.name === name)) throw new EngineError(`${block} has no input "${name}"; ${takes()}`)
    const expected = elementCount(dims) * ELEMENT_TYPES[type]
    if (
      !dims.every(dim => Number.isSafeInteger(dim) && dim >= 0) ||
      (type !== 'string' && data.byteLength !== expected)
    )
      throw new EngineError(
        `${block}: "${name}" is ${type}[${dims.join(', ')}] and comes with ${data.byteLength} bytes`
      )
  }
}
