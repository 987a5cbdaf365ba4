import type { BlockHash } from './ids.ts'
import type { Bytes } from './units.ts'

/** What a device keeps of blocks. */
export interface KeptBlocks {
  /** Those that are on their way too, as far as they have come. */
  readonly kept: ReadonlyMap<BlockHash, Bytes>
  /** What they take, and what else may be taken. */
  readonly room: Bytes
}
