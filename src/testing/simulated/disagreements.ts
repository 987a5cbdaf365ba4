import { agreementScenario } from './agreement-scenario.ts'
import { measureCluster } from './measure-cluster.ts'
import { measureSimulator } from './measure-simulator.ts'

const THROUGHPUT_WITHIN = 0.02
const MEAN_TIME_WITHIN = 0.03

/** Where a cluster of real devices and the simulator differ by more than they may: a sentence for each such seed. */
export const disagreements = async (seeds: readonly number[], scenarioOf = agreementScenario): Promise<string[]> => {
  const found: string[] = []
  for (const seed of seeds) {
    const scenario = scenarioOf(seed)
    const { carries, ...devices } = await measureCluster(scenario)
    const simulator = measureSimulator(scenario, carries)
    const throughput = devices.throughput / simulator.throughput - 1
    const meanTime = devices.meanTime / simulator.meanTime - 1
    if (Math.abs(throughput) <= THROUGHPUT_WITHIN && Math.abs(meanTime) <= MEAN_TIME_WITHIN) continue
    const percent = (x: number): string => `${(100 * x).toFixed(2)} %`
    found.push(
      `seed ${seed} (${scenario.policy}): throughput differs by ${percent(throughput)}, mean time by ${percent(meanTime)}`
    )
  }
  return found
}
