import type { ModelProfile } from '../core/model-profile.ts'
import type { Scenario, ScenarioSource } from '../core/scenario.ts'
import type { CapacityProblem } from './capacity-problem.ts'

/** A scenario, with what its models cost, as a problem for the planner. Demand: see DESIGN section 2. */
export const problemOfScenario = (scenario: Scenario, models: readonly ModelProfile[]): CapacityProblem => ({
  devices: scenario.devices,
  links: scenario.links,
  models,
  sources: scenario.sources.map(source => ({ ...source, demand: demandOf(source) }))
})

/** Data per second, or 1 for a source that always has the next datum ready. */
const demandOf = ({ arrivals }: ScenarioSource): number => {
  if (arrivals.kind === 'poisson') return arrivals.rate
  return arrivals.kind === 'every' ? 1 / arrivals.interval : 1
}
