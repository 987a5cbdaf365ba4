import type { BlockHash } from '../../core/ids.ts'

/**
 * Who needs no room does not let go of the last copy of a block: it stays until whoever is to have it says that it is ready.
 * Who was killed had its copy until then, as others may still believe.
 */
export class LastCopyLaw {
  readonly #holders = new Map<BlockHash, Set<string>>()

  loaded(device: string, hash: BlockHash): void {
    this.#holders.set(hash, (this.#holders.get(hash) ?? new Set()).add(device))
  }

  /** @returns whether that was the last copy */
  unloaded(device: string, hash: BlockHash): boolean {
    const holders = this.#holders.get(hash)
    return holders?.delete(device) === true && holders.size === 0
  }
}
