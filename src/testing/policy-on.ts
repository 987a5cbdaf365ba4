import { seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import type { CreatePolicy, Policy, TaskState } from '../scheduler/policy.ts'

/** A policy on a device of a world with nothing in its lane and on its links; `tasks` are those that are here. */
export const policyOn = (create: CreatePolicy, world: World, self = 0, tasks: readonly TaskState[] = []): Policy =>
  create({ self, world, backlog: () => seconds(0), linkBacklog: () => seconds(0), tasks: () => tasks })
