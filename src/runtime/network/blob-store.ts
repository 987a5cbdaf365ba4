import type { BlockHash } from '../../core/ids.ts'

/** Files by SHA-256 in one folder: blocks this device made, and blocks it fetched. Survives restarts. */
export interface BlobStore {
  /** The path of a blob that is whole and verified here, or undefined. */
  find(hash: BlockHash): Promise<string | undefined>
  /** Where the parts of a blob under way are kept, so that a fetch can go on after a restart. */
  partPath(hash: BlockHash): string
  /** Verify the part by hash and move it into place. @throws Error when the bytes do not match; the part is removed */
  commit(hash: BlockHash): Promise<string>
  /** Write the given bytes as a blob. @returns its path */
  put(hash: BlockHash, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string>
  /** Nobody needs it any more. */
  remove(hash: BlockHash): Promise<void>
}
