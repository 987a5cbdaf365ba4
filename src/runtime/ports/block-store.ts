import type { BlockHash } from '../../core/ids.ts'
import type { KeptBlocks } from '../../core/kept-blocks.ts'

/**
 * Blocks by SHA-256: those this device made, and those it fetched. What it says of where a block is, its place, only the
 * engine beside it has to understand: a file's path where blocks are files.
 */
export interface BlockStore {
  /** The place of a block that is whole and verified here; undefined where it is not. */
  find(hash: BlockHash): Promise<string | undefined>
  /** Keep the given bytes. @returns their place @throws Error when their hash is another */
  put(hash: BlockHash, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string>
  /** What is kept, and how much there is room for. @default as much as comes */
  usage?(): Promise<KeptBlocks>
  /** Nobody needs it any more. */
  remove(hash: BlockHash): Promise<void>
}
