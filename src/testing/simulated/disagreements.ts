import { seconds } from '../../core/units.ts'
import { type AgreementScenario, agreementScenario } from './agreement-scenario.ts'
import { type Measured, measureCluster } from './measure-cluster.ts'
import { measureSimulator } from './measure-simulator.ts'

const THROUGHPUT_WITHIN = 0.02
const MEAN_TIME_WITHIN = 0.03

/** Of an interval of reports: when sources may begin just as well. */
const BEGINNINGS = [0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09].map(seconds)

type Carries = Parameters<typeof measureSimulator>[1]

/**
 * Where the instant between two reports at which the sources begin decides more than what may differ (it does with `pa-mdi`, as one
 * clearance more or less decides all that follow), the devices are to be no further off than the simulator is from itself.
 */
const isWithinChance = (devices: Measured, scenario: AgreementScenario, carries: Carries): boolean => {
  const runs = BEGINNINGS.map(start => {
    const sources = scenario.sources.map(source => ({ ...source, start }))
    return measureSimulator({ ...scenario, sources }, carries)
  })
  const isAmong = (measure: (run: Measured) => number, within: number): boolean => {
    const measures = runs.map(measure)
    const of = measure(devices)
    return of >= (1 - within) * Math.min(...measures) && of <= (1 + within) * Math.max(...measures)
  }
  return isAmong(run => run.throughput, THROUGHPUT_WITHIN) && isAmong(run => run.meanTime, MEAN_TIME_WITHIN)
}

/** Where a cluster of real devices and the simulator differ by more than they may: a sentence for each such seed. */
export const disagreements = async (
  seeds: readonly number[],
  scenarioOf = agreementScenario,
  isChance = (policy: string): boolean => policy === 'pa-mdi'
): Promise<string[]> => {
  const found: string[] = []
  for (const seed of seeds) {
    const scenario = scenarioOf(seed)
    const { carries, ...devices } = await measureCluster(scenario)
    const simulator = measureSimulator(scenario, carries)
    const throughput = devices.throughput / simulator.throughput - 1
    const meanTime = devices.meanTime / simulator.meanTime - 1
    if (Math.abs(throughput) <= THROUGHPUT_WITHIN && Math.abs(meanTime) <= MEAN_TIME_WITHIN) continue
    if (isChance(scenario.policy) && isWithinChance(devices, scenario, carries)) continue
    const percent = (x: number): string => `${(100 * x).toFixed(2)} %`
    found.push(
      `seed ${seed} (${scenario.policy}): throughput differs by ${percent(throughput)}, mean time by ${percent(meanTime)}`
    )
  }
  return found
}
