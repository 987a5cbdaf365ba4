import { arrivalRate } from '../core/arrival-rate.ts'
import type { Scenario } from '../core/scenario.ts'
import type { BoundReport } from '../report/run-report.ts'

/** Whether a source that says how many data it has gets them computed. Data per second. */
export interface DemandReport {
  readonly source: string
  /** Results per second. */
  readonly asked: number
  /** Results per second that the placement can give it. */
  readonly served: number
  /** Whether it is served what it asks for. */
  readonly met: boolean
  /** Share of what is asked that could be served besides; 0 where it is not met. */
  readonly spare: number
  /** undefined where the demand is met. */
  readonly because?: string
}

/** What a share of the demand may be missing by the tolerances of the planner. */
const SLACK = 1e-6

/**
 * Of each source with a rate. Those that are saturated ask for nothing.
 * @param most no placement serves more
 * @param bottleneck in words
 */
export const demandReports = (
  { sources }: Scenario,
  predicted: BoundReport,
  most: BoundReport,
  bottleneck: string
): DemandReport[] =>
  sources.flatMap(({ name, arrivals, terms }): DemandReport[] => {
    const asked = arrivalRate(arrivals, terms.rate)
    if (asked === undefined) return []
    const served = predicted.rates[name]!
    if (served >= asked * (1 - SLACK))
      return [{ source: name, asked, served, met: true, spare: Math.max(0, served / asked - 1) }]
    const never = most.rates[name]! < asked * (1 - SLACK)
    const because = `${never ? 'no placement serves more than ' : 'a placement for up to '}${rate(most.rates[name]!)}${never ? '' : ' is not ruled out, but this one is limited'}; bottleneck: ${bottleneck}`
    return [{ source: name, asked, served, met: false, spare: 0, because }]
  })

export const describeDemand = ({ source, asked, served, met, spare, because }: DemandReport): string =>
  met
    ? `${source}: your ${rate(asked)} is met, ${share(spare)} to spare`
    : `${source}: not met: ${rate(served)} of ${rate(asked)}, because ${because}`

const rate = (perSecond: number): string => `${Number(perSecond.toPrecision(3))}/s`

const share = (spare: number): string => `${spare >= 100 ? '> 10000' : (100 * spare).toFixed(spare < 0.1 ? 1 : 0)} %`
