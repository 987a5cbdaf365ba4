import type { BlockHash, DeviceId, ModelId } from './ids.ts'
import type { TensorSpec } from './tensor.ts'
import type { Bytes, Seconds } from './units.ts'

/**
 * A model that has been cut: what every device of a cluster knows about it. The owner makes it once.
 * K blocks, K + 1 activations; activation 0 is the input, activation K the output.
 *
 * The tensors of activation k are all those alive at that cut point. A device that ran block k builds activation
 * k + 1 by name from activation k together with what the block produced: so skip connections, inputs that are used
 * late and outputs that are produced early travel beside the rest and never pass through a block that ignores them.
 */
export interface ModelManifest {
  readonly id: ModelId
  /** What the user calls it. */
  readonly name: string
  /** Of the file that was cut. */
  readonly sha256: string
  readonly blocks: readonly BlockEntry[]
  readonly activations: readonly ActivationEntry[]
  /** Of the whole model, in the model's order. */
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly string[]
  /** The first block runs on the device of the datum's source and nowhere else. */
  readonly pinned?: boolean
  /** The outputs as the file declares them: dimensions that are numbers at a cut may be dynamic here. @default as at the last cut */
  readonly outputSpecs?: readonly TensorSpec[]
  /** Data in one request of another program, where whoever brought the model limits that. */
  readonly mostData?: number
  /** What the file says of itself, by key: of a detector its labels, for one. */
  readonly properties?: Readonly<Record<string, string>>
  /** Absent: it has not left the device that made it. */
  readonly seal?: ManifestSeal
}

/** Who vouches for a manifest, and with what. */
export interface ManifestSeal {
  readonly owner: DeviceId
  readonly signature: Uint8Array
}

export interface BlockEntry {
  readonly sha256: BlockHash
  /** What counts against a device's memory: the block's .onnx bytes, and the constants that are computed when it is loaded. */
  readonly bytes: Bytes
  /** Of the .onnx file, as it is sent and cached on disk; absent: `bytes`. */
  readonly fileBytes?: Bytes
  readonly flops: number
  /** Time of one run at speed 1: median on the owner, without emulation. */
  readonly work: Seconds
  /** Several data may be run at once, one behind the other along the first dimension of all that goes in and comes out. */
  readonly batches?: true
}

export interface ActivationEntry {
  readonly bytes: Bytes
  readonly tensors: readonly TensorSpec[]
}
