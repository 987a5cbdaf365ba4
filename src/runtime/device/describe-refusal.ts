import type { DeviceId } from '../../core/ids.ts'
import { fingerprintOf } from '../../core/model-reference.ts'
import type { ModelChoice } from '../cluster/model-register.ts'

/** What was used by a name, what is offered now and by whom, and how that is accepted. */
export const describeRefusal = (
  { name, pin, offers }: Extract<ModelChoice, { kind: 'refused' }>,
  nameOf: (device: DeviceId) => string
): string => {
  const offered = offers.map(({ device, model }) => `${nameOf(device)} offers ${name}@${fingerprintOf(model)}`)
  const others = [...new Set(offered)]
  const instead = `${name}@${fingerprintOf(offers[0]!.model)}`
  return `model ${name} is pinned to ${name}@${fingerprintOf(pin.model)} of ${nameOf(pin.owner)}, which is not there; ${others.slice(0, 5).join(', ')}, which is refused; who means that names it ${instead}, or accepts it for all of this device`
}
