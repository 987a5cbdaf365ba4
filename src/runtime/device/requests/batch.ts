import type { ModelManifest } from '../../../core/manifest.ts'
import { ELEMENT_TYPES, elementCount, type Tensor, type TensorSpec } from '../../../core/tensor.ts'
import { neededInputs } from './fit-request.ts'

const isDynamic = ({ shape }: TensorSpec): boolean => shape.length > 0 && typeof shape[0] !== 'number'

/** The outputs as people are told of them: declared, or else as they are at the last cut. */
export const outputSpecsOf = ({ outputs, outputSpecs = [], activations }: ModelManifest): readonly TensorSpec[] => {
  const last = activations.at(-1)!.tensors
  return outputs.flatMap(
    name => outputSpecs.find(spec => spec.name === name) ?? last.find(spec => spec.name === name) ?? []
  )
}

/**
 * Data in one batch, as the model was cut: a request of more is split into such and joined again. Undefined for a model that takes
 * no batches: where the first dimension of some input or output is fixed.
 */
export const batchOf = (manifest: ModelManifest): number | undefined => {
  const inputs = neededInputs(manifest)
  if (inputs.length === 0 || !inputs.every(isDynamic) || !outputSpecsOf(manifest).every(isDynamic)) return undefined
  const cut = manifest.activations[0]!.tensors.map(({ shape }) => shape[0])
  const [first] = cut
  return typeof first === 'number' && first > 0 && cut.every(dim => dim === first) ? first : undefined
}

/** How many data are in a request; undefined where its inputs do not say the same. */
export const sizeOfBatch = (tensors: readonly Tensor[]): number | undefined => {
  const sizes = new Set(tensors.map(({ dims }) => dims[0]))
  const [size] = sizes
  return sizes.size === 1 ? size : undefined
}

/**
 * Parts of `each` data, the last filled up with its own last datum. Views into what was given, where they can be.
 * @param size of the whole, at least 1
 */
export const splitBatch = (tensors: readonly Tensor[], size: number, each: number): readonly (readonly Tensor[])[] => {
  const rows = tensors.map(tensor => rowsOf(tensor, size))
  return Array.from({ length: Math.ceil(size / each) }, (_, part) =>
    tensors.map((tensor, t) => {
      const from = part * each
      const own = rows[t]!.slice(from, from + each)
      while (own.length < each) own.push(own.at(-1)!)
      return { ...tensor, dims: [each, ...tensor.dims.slice(1)], data: joined(own) }
    })
  )
}

/** Outputs of the parts, in order, as one batch of `size`. @throws RangeError where a part's outputs are no batch */
export const joinBatch = (parts: readonly (readonly Tensor[])[], size: number, each: number): readonly Tensor[] => {
  const [first] = parts
  return first!.map(({ name, type, dims }, t) => {
    const rows = parts.flatMap(part => {
      const tensor = part[t]!
      if (tensor.dims[0] !== each || tensor.dims.slice(1).join() !== dims.slice(1).join())
        throw new RangeError(
          `output "${name}" is [${tensor.dims.join(',')}] and not a batch of ${each}: the model takes no batches`
        )
      return rowsOf(tensor, each)
    })
    return { name, type, dims: [size, ...dims.slice(1)], data: joined(rows.slice(0, size)) }
  })
}

const joined = (rows: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> => {
  if (rows.length === 1) return rows[0]!
  const out = new Uint8Array(rows.reduce((sum, row) => sum + row.byteLength, 0))
  let at = 0
  for (const row of rows) {
    out.set(row, at)
    at += row.byteLength
  }
  return out
}

/** Of each datum its bytes. */
const rowsOf = ({ type, dims, data }: Tensor, size: number): Uint8Array<ArrayBuffer>[] => {
  const elements = elementCount(dims.slice(1))
  if (type === 'string') return stringRows(data, elements, size)
  const bytes = elements * ELEMENT_TYPES[type]
  return Array.from({ length: size }, (_, row) => data.subarray(row * bytes, (row + 1) * bytes))
}

/** Text is as long as it is: what each row takes is found out. */
const stringRows = (data: Uint8Array<ArrayBuffer>, elements: number, size: number): Uint8Array<ArrayBuffer>[] => {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  let at = 0
  return Array.from({ length: size }, () => {
    const from = at
    for (let i = 0; i < elements; i++) at += 4 + view.getUint32(at, true)
    return data.subarray(from, at)
  })
}
