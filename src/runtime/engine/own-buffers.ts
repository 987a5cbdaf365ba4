import type { Tensor } from '../../core/tensor.ts'

/**
 * Tensors whose buffers can be transferred: each the sole user of its whole ArrayBuffer. Tensors keep this contract, so
 * nothing is copied; one that does not (a view into a larger buffer, the same tensor under two names) is copied.
 */
export const ownBuffers = (tensors: readonly Tensor[]): { tensors: Tensor[]; buffers: ArrayBuffer[] } => {
  const seen = new Set<ArrayBuffer>()
  const own = tensors.map(tensor => {
    const { buffer, byteLength } = tensor.data
    const alone = byteLength === buffer.byteLength && !seen.has(buffer)
    const data = alone ? tensor.data : new Uint8Array(tensor.data) // copies
    seen.add(data.buffer)
    return { ...tensor, data }
  })
  return { tensors: own, buffers: [...seen] }
}
