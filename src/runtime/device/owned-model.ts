import type { BlockStore } from '../ports/block-store.ts'
import type { Engine } from '../ports/engine.ts'

/** A model that a device gives to its cluster. */
export interface OwnedModel {
  readonly name: string
  /** Where it is. Only what prepares it has to understand that: the path of an ONNX file, for one. */
  readonly file: string
  /** Data in one request of another program. @default as many as the device that is asked takes */
  readonly mostData?: number
  /** What its id must begin with. @default whatever it is */
  readonly fingerprint?: string
}

/** What a model is prepared with. */
export interface OwnerParts {
  readonly engine: Engine
  readonly blobs: BlockStore
  /** Of this device, as it was calibrated. */
  readonly speed: number
  readonly say: (text: string, level?: 'warn') => void
  /** Ends it in mid-way. */
  readonly signal?: AbortSignal
}
