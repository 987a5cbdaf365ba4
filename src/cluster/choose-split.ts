import type { LaneLoad } from '../core/lane-load.ts'
import type { LaneSplit } from '../core/lane-split.ts'

/** What the blocks that a device carries take in one split, one after the other. */
export interface MeasuredSplit extends LaneSplit {
  /** Seconds, where nothing else runs here. */
  readonly alone: number
  /** Where all lanes run. */
  readonly busy: number
}

/** Used so much, nobody knows how much more there would have been. */
const SATURATED = 0.9
/** No split is chosen that would be used by more than this where another would not. */
const FULL = 0.95
/** Blocks are loaded anew for another split: it has to be worth it. */
const WORTH_CHANGING = 0.95

/**
 * The split in which a datum is soonest done at the load that is: computing takes between `alone` and `busy`, by how much is used, and
 * the wait is that of a queue for so many servers (Sakasegawa, 1977; arrivals by chance, times without variance). Where none can
 * keep up, the one that serves most. The current one stays unless another is better by a twentieth.
 */
export const chooseSplit = <S extends MeasuredSplit>(splits: readonly S[], current: S, load: LaneLoad): S => {
  const possible = splits.filter(({ lanes }) => lanes <= load.mostLanes)
  const rate = load.used >= SATURATED ? Number.POSITIVE_INFINITY : load.used * capacityOf(current)
  const costOf = (split: S): number => {
    const used = rate / capacityOf(split)
    // Those that cannot keep up come after all that can, by what they serve.
    return used > FULL ? OVERLOADED / capacityOf(split) : timeAt(split, used)
  }
  const [best] = possible.toSorted((a, b) => costOf(a) - costOf(b))
  if (best === undefined || (possible.includes(current) && costOf(best) > WORTH_CHANGING * costOf(current)))
    return current
  return best
}

const OVERLOADED = 1e9

/** Data per second. */
const capacityOf = ({ lanes, busy }: MeasuredSplit): number => lanes / busy

const timeAt = ({ lanes, alone, busy }: MeasuredSplit, used: number): number => {
  const wait = (busy * used ** (Math.sqrt(2 * (lanes + 1)) - 1)) / (2 * lanes * (1 - used))
  return alone + Math.max(0, busy - alone) * used + wait
}
