import { type Bytes, bytes, mebibytes } from '../../core/units.ts'

/** What a frame of the task protocol may ask of its receiver; checked before memory is taken for it. */
export interface FrameLimits {
  readonly header: Bytes
  readonly payload: Bytes
}

export const FRAME_LIMITS: FrameLimits = { header: mebibytes(1), payload: mebibytes(1024) }

/** Of one frame; an activation of a large model has some hundred tensors. */
export const MAX_TENSORS = 4096
/** ONNX sets no limit; nothing real comes near. */
export const MAX_RANK = 64
/** In characters. Exporters make long names, of some hundred. */
export const MAX_NAME = 4096

/** [uint32 header length][uint32 payload length], big endian. */
export const PREFIX: Bytes = bytes(8)
