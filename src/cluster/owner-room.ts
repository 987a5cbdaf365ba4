import { formatBytes } from '../core/format-quantity.ts'
import type { BlockHash } from '../core/ids.ts'
import type { KeptBlocks } from '../core/kept-blocks.ts'
import { type Bytes, bytes } from '../core/units.ts'

/** Whose models these are has so much of the room at most: others find some too, however much one brings. */
const OWNER_SHARE = 0.75

/** Why one more block of an owner is not taken, or undefined. @param owned all that are of its models */
export const ownerRoomFault = (
  block: BlockHash,
  size: Bytes,
  owned: Iterable<BlockHash>,
  { kept, room }: KeptBlocks
): string | undefined => {
  let has = 0
  for (const hash of new Set(owned)) if (hash !== block) has += kept.get(hash) ?? 0
  if (has + size <= OWNER_SHARE * room) return undefined
  const most = formatBytes(bytes(OWNER_SHARE * room))
  return `its owner has ${formatBytes(bytes(has))} of blocks here and would have ${formatBytes(size)} more; of one owner are at most ${most}, three quarters of what there is for blocks`
}
