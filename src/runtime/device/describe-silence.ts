import type { DeviceId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'

/**
 * For the status of a source: what it waits for where a device returns nothing and nobody else has what it carries. Empty
 * where others can compute its data.
 * @param silent how many data in a row did not come back from each
 */
export const describeSilence = (
  silent: ReadonlyMap<DeviceId, number>,
  manifest: ModelManifest | undefined,
  view: ClusterView
): string => {
  for (const [device, inARow] of manifest === undefined ? [] : silent) {
    const { id, blocks } = manifest!
    const block = blocks.findIndex((_, k) => view.carriers(id, k).every(other => other === device))
    if (block >= 0 && view.isOfferedBy(device, id, block))
      return `waits for ${view.nameOf(device)}, which alone has block ${block} of ${view.labelOf(id)}: ${inARow} data in a row did not come back from it`
  }
  return ''
}
