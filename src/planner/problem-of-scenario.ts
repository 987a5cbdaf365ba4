import { arrivalRate } from '../core/arrival-rate.ts'
import { memoryOfLane } from '../core/memory-of-lane.ts'
import type { ModelProfile } from '../core/model-profile.ts'
import type { Scenario } from '../core/scenario.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import { demandOf } from './demand-of.ts'

/** A scenario, with what its models cost, as a problem for the planner. */
export const problemOfScenario = (scenario: Scenario, models: readonly ModelProfile[]): CapacityProblem => ({
  devices: scenario.devices.map(({ name, speed, memory, lanes }) => ({
    ...{ name, speed, lanes },
    memory: memoryOfLane(memory, lanes)
  })),
  links: scenario.links,
  models,
  sources: scenario.sources.map(source => ({
    ...source,
    demand: demandOf(arrivalRate(source.arrivals, source.terms.rate))
  }))
})
