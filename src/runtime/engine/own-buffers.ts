import type { Tensor } from '../../core/tensor.ts'

/**
 * Tensors whose buffers can be transferred: each the sole user of its whole ArrayBuffer. Tensors keep this contract, so
 * nothing is copied; one that does not (one that is lent, a view into a larger buffer, the same tensor under two names) is.
 */
export const ownBuffers = (tensors: readonly Tensor[]): { tensors: Tensor[]; buffers: ArrayBuffer[] } => {
  const seen = new Set<ArrayBuffer>()
  const own = tensors.map(tensor => {
    const { buffer, byteLength } = tensor.data
    const { isLent, name, type, dims } = tensor
    const alone = isLent !== true && byteLength === buffer.byteLength && !seen.has(buffer)
    const data = alone ? tensor.data : new Uint8Array(tensor.data) // copies
    seen.add(data.buffer)
    return { name, type, dims, data }
  })
  return { tensors: own, buffers: [...seen] }
}
