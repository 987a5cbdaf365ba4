import { availableParallelism } from 'node:os'
import type { LaneSplit } from '../core/lane-split.ts'
import { type LaneChoice, laneSplits } from '../core/lane-splits.ts'
import { LanesEngine } from '../runtime/cluster/lanes-engine.ts'
import { SplitEngine } from '../runtime/cluster/split-engine.ts'
import type { Engine } from '../runtime/ports/engine.ts'

export interface OpenLanesOptions {
  readonly lanes: LaneChoice
  readonly threads: LaneChoice
  /** What one lane is. */
  readonly open: (threads: number) => Engine
  /** For people: one line. */
  readonly say: (text: string, level?: 'info' | 'warn') => void
}

/** The engine of a device: one lane as it is, several as one, or what is measured to be best. */
export const openLanes = ({ lanes, threads, open, say }: OpenLanesOptions): Engine => {
  const openSplit = (split: LaneSplit): Engine => {
    const each = Array.from({ length: split.lanes }, () => open(split.threads))
    return each.length === 1 ? each[0]! : new LanesEngine(each)
  }
  const splits = laneSplits(lanes, threads, availableParallelism())
  const isTold = lanes !== 'auto' && threads !== 'auto'
  return isTold ? openSplit(splits[0]!) : new SplitEngine({ splits, open: openSplit, say })
}
