import type { BlockHash } from '../../core/ids.ts'

/**
 * Blocks by SHA-256: those this device made, and those it fetched. What it says of where a block is, only the engine beside
 * it has to understand: a file's path where blocks are files.
 */
export interface BlockStore {
  /** Where a blob is that is whole and verified here; undefined where it is not. */
  find(hash: BlockHash): Promise<string | undefined>
  /** Keep the given bytes. @returns where they are @throws Error when their hash is another */
  put(hash: BlockHash, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string>
  /** Nobody needs it any more. */
  remove(hash: BlockHash): Promise<void>
}

/** As files in one folder, which survive restarts, a fetch that was interrupted included. */
export interface BlobStore extends BlockStore {
  /** Where the parts of a blob under way are kept, so that a fetch can go on after a restart. */
  partPath(hash: BlockHash): string
  /** Verify the part by hash and move it into place. @throws Error when the bytes do not match; the part is removed */
  commit(hash: BlockHash): Promise<string>
}
