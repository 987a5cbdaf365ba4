import { createRng } from '../src/core/rng.ts'
import { textTable } from '../src/report/text-table.ts'
import { modelProfiles } from '../src/studies/model-profiles.ts'
import { planScenario } from '../src/studies/planned-scenario.ts'
import { policyPlacement } from '../src/studies/policy-placement.ts'
import { simulatePolicy } from '../src/studies/simulate-policy.ts'
import { average, geometric } from './means.ts'
import { randomEvents } from './random-events.ts'
import { randomScenario } from './random-scenario.ts'
import { VARIANTS, type Variant } from './variants.ts'

// Random networks in which something changes in mid-run, simulated: what adapting is worth, and what the policies make of it.
// `npm run bench -- changing`: the first fifty; `-- changing 200`; `-- changing 17` would be the first seventeen.

const DEFAULT_NETWORKS = 50

const ALL: readonly Variant[] = [...VARIANTS, { name: 'ms-mdi', policy: 'ms-mdi', adapts: true }]

interface Outcome {
  /** Results a second until the last is home; 0 where some never are. */
  readonly throughput: number
  readonly meanTime: number
}

const outcomes = async (name: string): Promise<readonly Outcome[]> => {
  const still = await randomScenario(name, createRng(name))
  const scenario = { ...still, events: randomEvents(still, createRng(`${name} events`)) }
  const profiles = await modelProfiles(scenario, () => {})
  const { problem, outcome, place } = await planScenario(scenario, profiles)
  return ALL.map(({ policy, adapts }) => {
    const table = policyPlacement(problem, outcome, policy)
    const { run, inferenceTimes } = simulatePolicy({ scenario, profiles, policy, seed: 1, table, adapts, place })
    const isWhole = run.sources.every(({ lost }) => lost === 0)
    return { throughput: isWhole ? run.throughput : 0, meanTime: average(inferenceTimes.flat()) }
  })
}

const networks = Number(process.argv[2] ?? DEFAULT_NETWORKS)
if (!(Number.isInteger(networks) && networks > 0)) {
  process.stderr.write(`"${process.argv[2]}" is no number of networks, like 50\n`)
  process.exit(2)
}
const all: (readonly Outcome[])[] = []
for (let i = 1; i <= networks; i++) {
  all.push(await outcomes(`changing-${i}`))
  const line = all.at(-1)!.map(({ throughput, meanTime }) => `${throughput.toFixed(3)}/s ${meanTime.toFixed(3)} s`)
  process.stderr.write(`changing-${i}: ${line.join(' | ')}\n`)
}
const rows = ALL.map(({ name }, v) => {
  const ran = all.filter(each => each[v]!.throughput > 0)
  const [rates, times] = (['throughput', 'meanTime'] as const).map(key =>
    ran.map(each => each[v]![key] / each[0]![key])
  )
  return [
    name,
    `${all.length - ran.length}`,
    geometric(rates!).toFixed(3),
    Math.min(...rates!).toFixed(3),
    geometric(times!).toFixed(3),
    Math.max(...times!).toFixed(3)
  ]
})
const head = ['policy', 'not all home', 'throughput to confluence', 'worst', 'mean time to confluence', 'worst']
process.stdout.write(
  `${networks} random networks that change in mid-run, simulated\n${textTable(
    head.map((title, i) => ({ title, align: i === 0 ? 'left' : 'right' })),
    rows
  )}\n`
)
