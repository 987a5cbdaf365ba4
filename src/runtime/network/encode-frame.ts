import type { Frame, PolicyReport, TensorHeader } from '../generated/tributary/v1/wire_pb.ts'
import { writeFrame } from '../generated/tributary/v1/wire_straight.ts'
import { NetworkError } from '../ports/network.ts'
import { ENCODING_NUMBERS, type WireTensor } from '../ports/wire-tensor.ts'
import { BackwardWriter } from './backward-writer.ts'
import type { FrameLimits } from './frame-limits.ts'

/** A frame ready to be sent: the prefix and header in one piece, then the tensors' own bytes. */
export interface EncodedFrame {
  readonly pieces: readonly Uint8Array[]
  readonly size: number
}

const writer = new BackwardWriter()

const tensorHeader = (tensor: WireTensor): TensorHeader => {
  const { name, dims, data } = tensor
  const isEncoded = tensor.type === 'encoded'
  return {
    $typeName: 'tributary.v1.TensorHeader',
    name,
    type: isEncoded ? 'float32' : tensor.type,
    dims: dims.map(BigInt),
    bytes: BigInt(data.byteLength),
    encoding: isEncoded ? ENCODING_NUMBERS[tensor.encoding] : 0,
    scale: isEncoded ? tensor.scale : 0,
    zeroPoint: isEncoded ? tensor.zeroPoint : 0
  }
}

/**
 * Wire format: [uint32 header length][uint32 payload length][header: Frame][tensors back to back]. Copies no payload.
 * @throws NetworkError when it is larger than `limits`, which the receiver would refuse
 */
export const encodeFrame = (
  id: bigint,
  body: Frame['body'],
  tensors: readonly WireTensor[],
  report: PolicyReport | undefined,
  limits: FrameLimits
): EncodedFrame => {
  const frame: Frame = { $typeName: 'tributary.v1.Frame', id, body, tensors: tensors.map(tensorHeader) }
  if (report !== undefined) frame.report = report
  writer.begin()
  writeFrame(writer, frame)
  const { size: header } = writer
  const payload = tensors.reduce((sum, { data }) => sum + data.byteLength, 0)
  if (header > limits.header) {
    throw new NetworkError(`a frame's header of ${header} B is over the limit of ${limits.header} B`)
  }
  if (payload > limits.payload) {
    throw new NetworkError(`tensors of ${payload} B are over the limit of ${limits.payload} B per frame`)
  }
  writer.fixed32(payload)
  writer.fixed32(header)
  const head = writer.finish()
  return { pieces: [head, ...tensors.map(t => t.data)], size: head.byteLength + payload }
}
