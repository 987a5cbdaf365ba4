import type { DeviceId } from '../../core/ids.ts'
import type { ModelClaim } from '../cluster/model-register.ts'

/** Several owners call different models by one name: which counts for whom. */
export const describeClash = (claims: readonly ModelClaim[], nameOf: (device: DeviceId) => string): string => {
  const each = claims.map(
    ({ device, model, revision }) => `${nameOf(device)}'s ${model.slice(0, 8)} (revision ${revision})`
  )
  const [first] = claims
  return `different models are called ${first!.name}: ${each.join(', ')}; sources on a device that owns one use their own, those that have used one keep to that, all others use ${nameOf(first!.device)}'s`
}
