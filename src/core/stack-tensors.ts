import type { Tensor } from './tensor.ts'

/**
 * The tensors of several data as those of one: each name's one behind the other, along the first dimension.
 * @param data of each the same names, types and dimensions, in the same order; no strings
 */
export const stackTensors = (data: readonly (readonly Tensor[])[]): Tensor[] => {
  const [first] = data as readonly [readonly Tensor[]]
  return first.map(({ name, type, dims }, i) => {
    const parts = data.map(tensors => tensors[i]!.data)
    const all = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0))
    let at = 0
    for (const part of parts) {
      all.set(part, at)
      at += part.byteLength
    }
    return { name, type, dims: [data.length * dims[0]!, ...dims.slice(1)], data: all }
  })
}

/**
 * The other way: what belongs to each of `count` data, as tensors with memory of their own.
 * @returns undefined where it cannot be shared out evenly along the first dimension: it is not made of so many data
 */
export const unstackTensors = (tensors: readonly Tensor[], count: number): Tensor[][] | undefined => {
  const isEven = tensors.every(({ type, dims }) => type !== 'string' && dims.length > 0 && dims[0]! % count === 0)
  if (!isEven) return undefined
  return Array.from({ length: count }, (_, i) =>
    tensors.map(({ name, type, dims, data }) => {
      const size = data.byteLength / count
      return { name, type, dims: [dims[0]! / count, ...dims.slice(1)], data: data.slice(i * size, (i + 1) * size) }
    })
  )
}

/** Whether the tensors of two data may be stacked. */
export const areStackable = (a: readonly Tensor[], b: readonly Tensor[]): boolean =>
  a.length === b.length &&
  a.every(({ name, type, dims }, i) => {
    const other = b[i]!
    const isAlike = name === other.name && type === other.type && dims.length === other.dims.length
    return isAlike && type !== 'string' && dims.length > 0 && dims.every((dim, d) => dim === other.dims[d])
  })
