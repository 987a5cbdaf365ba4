import type { Scenario } from '../../core/scenario.ts'
import type { PolicyRun } from '../../report/run-report.ts'

/**
 * Whether what an emulated run lacks could not have come: a simulation of the same gets stuck too, with those sources.
 * @param missing numbers of the sources of which some data never came home
 */
export const couldNotCome = (
  missing: readonly number[],
  { sources }: Pick<Scenario, 'sources'>,
  simulated: Pick<PolicyRun, 'sources' | 'because'>
): boolean => simulated.because !== undefined && missing.every(s => outcomes(simulated.sources[s]!) < sources[s]!.count)

const outcomes = ({ completed, dropped }: PolicyRun['sources'][number]): number => completed + dropped
