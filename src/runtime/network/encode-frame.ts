import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { type Frame, FrameSchema, type PolicyReport } from '../generated/tributary/v1/wire_pb.ts'
import { NetworkError } from '../ports/network.ts'
import { ENCODING_NUMBERS, type WireTensor } from '../ports/wire-tensor.ts'
import { type FrameLimits, PREFIX } from './frame-limits.ts'

/** A frame ready to be sent: the prefix and header in one piece, then the tensors' own bytes. */
export interface EncodedFrame {
  readonly pieces: readonly Uint8Array[]
  readonly size: number
}

/** What the tensors' headers say, in the order of the payload. */
const tensorHeaders = (tensors: readonly WireTensor[]): MessageInitShape<typeof FrameSchema>['tensors'] =>
  tensors.map(tensor => {
    const { name, type, dims, data } = tensor
    const header = { name, type, dims: dims.map(BigInt), bytes: BigInt(data.byteLength) }
    if (tensor.type !== 'encoded') return header
    const { encoding, scale, zeroPoint } = tensor
    return { ...header, type: 'float32', encoding: ENCODING_NUMBERS[encoding], scale, zeroPoint }
  })

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
  const init = { id, body, tensors: tensorHeaders(tensors) ?? [], ...(report === undefined ? {} : { report }) }
  const header = toBinary(FrameSchema, create(FrameSchema, init))
  const payload = tensors.reduce((sum, { data }) => sum + data.byteLength, 0)
  if (header.byteLength > limits.header) {
    throw new NetworkError(`a frame's header of ${header.byteLength} B is over the limit of ${limits.header} B`)
  }
  if (payload > limits.payload) {
    throw new NetworkError(`tensors of ${payload} B are over the limit of ${limits.payload} B per frame`)
  }
  const head = new Uint8Array(PREFIX + header.byteLength)
  const view = new DataView(head.buffer)
  view.setUint32(0, header.byteLength)
  view.setUint32(4, payload)
  head.set(header, PREFIX)
  return { pieces: [head, ...tensors.map(t => t.data)], size: head.byteLength + payload }
}
