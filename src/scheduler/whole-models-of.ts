import { deviceId } from '../core/ids.ts'
import { seconds } from '../core/units.ts'
import type { WholeModels } from '../core/whole-models.ts'
import { World } from '../core/world.ts'
import type { CreatePolicy } from './policy.ts'

/** What a policy says of itself before there is a network: one is made for a device that is alone and has nothing to do. */
export const wholeModelsOf = (createPolicy: CreatePolicy): WholeModels => {
  const world = new World()
  const self = world.addDevice(deviceId('nobody'))
  const nothing = () => seconds(0)
  return createPolicy({ self, world, backlog: nothing, linkBacklog: nothing, tasks: () => [] }).wholeModels ?? false
}
