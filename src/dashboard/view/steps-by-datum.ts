import type { ClusterStep } from '../../runtime/device/steps/cluster-steps.ts'
import { datumKey } from './datum-key.ts'

/** Steps of each datum, in their order, by a key of its own. */
export const stepsByDatum = (steps: readonly ClusterStep[]): Map<string, ClusterStep[]> => {
  const data = new Map<string, ClusterStep[]>()
  for (const step of steps) {
    const key = datumKey(step)
    const own = data.get(key)
    if (own === undefined) data.set(key, [step])
    else own.push(step)
  }
  return data
}
