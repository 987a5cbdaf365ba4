import type { BlockHash } from '../../core/ids.ts'
import type { Bytes } from '../../core/units.ts'
import type { BlockStore } from '../ports/block-store.ts'

/** As files in one folder, which survive restarts, a fetch that was interrupted included. */
export interface BlobStore extends BlockStore {
  /** Where the parts of a blob under way are kept, so that a fetch can go on after a restart. */
  partPath(hash: BlockHash): string
  /** Verify the part by hash and move it into place. @throws Error when the bytes do not match; the part is removed */
  commit(hash: BlockHash): Promise<string>
  /** @throws an error of the operating system, ENOSPC, where so many bytes more would leave too little of the disk */
  requireRoom(size: Bytes): Promise<void>
}
