import { blockRanges } from '../../core/block-ranges.ts'
import type { Seconds } from '../../core/units.ts'
import type { ClusterFeed } from './cluster-feed.ts'
import type { RunView } from './run-view.ts'

type Part = NonNullable<ReturnType<ClusterFeed['device']>>

/** What a device and its sources had done when the run that is shown began. */
export interface Before {
  /** By source. */
  readonly completed: ReadonlyMap<string, number>
  /** By device. */
  readonly busySeconds: ReadonlyMap<string, number>
  /** How long ago that was. */
  readonly ago: () => Seconds
}

/**
 * What a device last said of itself and of its sources.
 * @param before default: a run began with them
 */
export const showDevice = (feed: ClusterFeed, device: string, view: RunView, before?: Before): void => {
  const part = feed.device(device)
  if (part === undefined) return
  const blocks = blockRanges(part.models['ocr']?.blocks ?? [])
  view.device(device, { busy: busyIn(part, before), queue: part.queue.lane + part.queue.links, blocks })
  for (const source of feed.sources())
    if (source.device === device)
      view.source(source.name, Math.max(0, source.completed - (before?.completed.get(source.name) ?? 0)), source.rate)
}

/** Share of the run in which it computed, 0 to 1. */
const busyIn = ({ name, busy, busySeconds }: Part, before: Before | undefined): number =>
  before === undefined
    ? busy
    : Math.min(1, Math.max(0, busySeconds - (before.busySeconds.get(name) ?? 0)) / Math.max(1e-3, before.ago()))
