import { arrivalRate } from '../core/arrival-rate.ts'
import type { Scenario } from '../core/scenario.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { PlanOutcome } from '../planner/plan.ts'

/**
 * How long a run takes at least, as far as can be told: until the last event, and until each source has had all its data at the
 * rate of their arrivals, or, where it is saturated, at the rate that is planned for it.
 */
export const expectedDuration = (
  { sources, events }: Pick<Scenario, 'sources' | 'events'>,
  outcome: PlanOutcome
): Seconds => {
  const planned = outcome.kind === 'plan' ? outcome.plan.predicted.rates : []
  const ends = sources.map(({ arrivals, count, start, terms }, s) => {
    const limit = terms.drop === 'none' ? terms.rate : Number.POSITIVE_INFINITY
    const rate = arrivalRate(arrivals, limit) ?? planned[s]
    return rate === undefined || rate <= 0 ? start : start + count / rate
  })
  return seconds(Math.max(0, ...events.map(({ at }) => at), ...ends))
}
