import { concatBytes } from '../../core/concat-bytes.ts'
import type { BlockHash } from '../../core/ids.ts'
import { hashOf } from '../../runtime/hash/hash-of.ts'
import { portableHash } from '../../runtime/hash/portable-hash.ts'
import type { BlockStore } from '../../runtime/ports/block-store.ts'

/** What of a device survives its process: blocks by hash. */
export type BlockDisk = Map<string, Uint8Array>

/** A block store whose bytes can be looked at. */
export interface MemoryBlockStore extends BlockStore {
  /** What is at a place that it named. @throws Error when nothing is */
  bytesAt(place: string): Uint8Array
}

/** Blocks in memory. @param refuses why the disk takes nothing now; undefined where it does @param turn what is asked of it waits so long */
export const createMemoryBlockStore = (
  disk: BlockDisk = new Map(),
  refuses: () => Error | undefined = () => undefined,
  turn: () => Promise<void> = async () => {}
): MemoryBlockStore => ({
  find: async hash => {
    await turn()
    return disk.has(hash) ? placeOf(hash) : undefined
  },
  put: async (hash, chunks) => {
    if (disk.has(hash)) return placeOf(hash)
    const pieces: Uint8Array[] = []
    for await (const piece of chunks) pieces.push(piece)
    await turn()
    const refusal = refuses()
    if (refusal !== undefined) throw refusal
    const whole = concatBytes(pieces)
    const actual = hashOf(portableHash, whole)
    if (actual !== hash) throw new Error(`bytes that hash to ${actual} were put as ${hash}`)
    disk.set(hash, whole)
    return placeOf(hash)
  },
  remove: async hash => {
    disk.delete(hash)
  },
  bytesAt: place => {
    const bytes = disk.get(place.slice(PREFIX.length))
    if (bytes === undefined) throw new Error(`nothing is at ${place}`)
    return bytes
  }
})

const PREFIX = 'memory:'
const placeOf = (hash: BlockHash): string => `${PREFIX}${hash}`
