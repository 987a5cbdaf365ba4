import { createArrivals } from '../../core/arrivals.ts'
import { createRng } from '../../core/rng.ts'
import { bytes, seconds } from '../../core/units.ts'
import { POLICIES } from '../../scheduler/policies.ts'
import { simulate } from '../../simulator/simulate.ts'
import type { AgreementScenario } from './agreement-scenario.ts'
import type { Measured } from './measure-cluster.ts'
import { toyModel } from './toy-model.ts'

/** The same scenario in the simulator. @param carries where its blocks are */
export const measureSimulator = (
  scenario: AgreementScenario,
  carries: (device: number, block: number) => boolean
): Measured => {
  const rng = createRng(`run ${scenario.seed}`)
  const [{ manifest }] = scenario.models.map(({ owners: _, ...model }) => toyModel(model)) as [
    ReturnType<typeof toyModel>
  ]
  const numbers = scenario.devices.map((_, n) => n)
  const { makespan, sources } = simulate({
    devices: scenario.devices,
    links: numbers.flatMap(from =>
      numbers.filter(to => to !== from).map(to => ({ from, to, ...scenario.wires[from]![to]! }))
    ),
    models: [
      {
        name: manifest.name,
        work: manifest.blocks.map(({ work }) => seconds(work!)),
        activations: manifest.activations.map(activation => bytes(activation.bytes))
      }
    ],
    sources: scenario.sources.map(source => ({
      ...source,
      availableAt: createArrivals(source.arrivals, rng.fork(`arrivals of ${source.name}`))
    })),
    carries: (device, _, block) => carries(device, block),
    policy: POLICIES[scenario.policy]
  })
  const results = sources.flatMap(source => source.results)
  return {
    dropped: sources.reduce((sum, { dropped }) => sum + dropped, 0),
    throughput: results.length / makespan,
    meanTime: seconds(
      results.reduce((sum, { availableAt, completedAt }) => sum + completedAt - availableAt, 0) / results.length
    )
  }
}
