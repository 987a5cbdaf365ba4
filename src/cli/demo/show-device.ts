import { blockRanges } from '../../core/block-ranges.ts'
import type { ClusterFeed } from './cluster-feed.ts'
import type { RunView } from './run-view.ts'

/**
 * What a device last said of itself and of its sources.
 * @param before what each source had done when the run that is shown began
 */
export const showDevice = (
  feed: ClusterFeed,
  device: string,
  view: RunView,
  before: ReadonlyMap<string, number> = new Map()
): void => {
  const part = feed.device(device)
  if (part === undefined) return
  const blocks = blockRanges(part.models['ocr']?.blocks ?? [])
  view.device(device, { busy: part.busy, queue: part.queue.lane + part.queue.links, blocks })
  for (const source of feed.sources())
    if (source.device === device)
      view.source(source.name, Math.max(0, source.completed - (before.get(source.name) ?? 0)), source.rate)
}
