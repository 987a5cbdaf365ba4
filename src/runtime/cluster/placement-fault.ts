import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import type { ModelId } from '../../core/ids.ts'
import type { ClusterView } from './cluster-view.ts'
import { isSpokenOf } from './is-spoken-of.ts'
import type { RecentRoom } from './recent-room.ts'

/** Why a placement cannot be followed, whoever planned it: in words. Models that are not known here yet may be anything. */
export const placementFault = (
  { placement, planner }: NumberedPlacement,
  view: ClusterView,
  room: RecentRoom
): string | undefined => {
  for (const [device, models] of placement) {
    if (!isSpokenOf(device, planner, view)) return `nobody knows the device ${device.slice(0, 80)} in it`
    let weight = 0
    for (const [model, blocks] of models) {
      const fault = blocksFault(model, blocks, view)
      if (fault !== undefined) return `${fault} on ${view.nameOf(device)}`
      const entries = view.manifest(model)?.blocks ?? []
      for (const block of blocks) weight += entries[block]?.bytes ?? 0
    }
    const most = room.of(device)
    if (weight > most) return `it places ${weight} B of blocks on ${view.nameOf(device)}, which has ${most} B for them`
  }
  return undefined
}

const blocksFault = (model: ModelId, blocks: readonly number[], view: ClusterView): string | undefined => {
  const count = view.manifest(model)?.blocks.length ?? Number.POSITIVE_INFINITY
  const beyond = blocks.find(block => block >= count)
  if (beyond !== undefined) return `it places block ${beyond} of a model of ${count} blocks`
  return new Set(blocks).size === blocks.length ? undefined : 'it places a block twice'
}
