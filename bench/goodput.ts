import { fileURLToPath } from 'node:url'
import { type AdmissionTerms, PATIENT_TERMS } from '../src/core/admission-terms.ts'
import { createArrivals } from '../src/core/arrivals.ts'
import { createRng } from '../src/core/rng.ts'
import { seconds } from '../src/core/units.ts'
import type { Window } from '../src/core/window.ts'
import type { CapacityProblem } from '../src/planner/capacity-problem.ts'
import { textTable } from '../src/report/text-table.ts'
import { POLICIES, POLICY_NAMES, type PolicyName } from '../src/scheduler/policies.ts'
import { simulate } from '../src/simulator/simulate.ts'
import type { SimulationInput } from '../src/simulator/simulation-input.ts'
import { policyPlacement } from '../src/studies/policy-placement.ts'
import { answerIn, eachInThreads } from './each-in-threads.ts'
import { average } from './means.ts'
import { networkNames, plannedNetwork } from './planned-network.ts'

// Results in time under overload: the random suite, Poisson arrivals at 1.5 times what the network can serve, data with a deadline;
// a datum that is late is finished all the same, and takes its time from others. `npm run bench -- goodput 20`.

const NETWORKS = 40
const COUNT = 400
const LOAD = 1.5
/** As multiples of what a datum takes that has the network for itself. */
const DEADLINES = [3, 8]
const WINDOWS: readonly Window[] = ['auto', 16]
const QUEUE = 64

/** Results in time, as a share of what the network can serve: by policy, deadline and window. */
interface NetworkResult {
  readonly name: string
  readonly goodput: Readonly<Record<string, number | undefined>>
}

const key = (policy: PolicyName, deadline: number, window: Window): string => `${policy} ${deadline} ${window}`

/** What the first datum of each source takes, long after those of the others. */
const timesAlone = (problem: CapacityProblem, carries: SimulationInput['carries']): number[] =>
  simulate({
    ...problem,
    sources: problem.sources.map((source, s) => ({
      ...{ ...source, count: 1, window: 1, weight: 1 },
      availableAt: () => seconds(1000 * s)
    })),
    carries,
    policy: POLICIES.confluence
  }).sources.map(({ results }) => results[0]!.completedAt - results[0]!.availableAt)

const runNetwork = async (name: string): Promise<NetworkResult> => {
  const { problem, found } = await plannedNetwork(name)
  const { scale } = found.predicted
  const alone = timesAlone(problem, policyPlacement(problem, { kind: 'plan', plan: found }, 'confluence').carries)
  const run = (policy: PolicyName, times: number, window: Window): number | undefined => {
    const { carries } = policyPlacement(problem, { kind: 'plan', plan: found }, policy)
    const terms = alone.map(
      (time): AdmissionTerms => ({ ...PATIENT_TERMS, deadline: seconds(times * time), drop: 'oldest', queue: QUEUE })
    )
    const { sources } = simulate({
      ...problem,
      sources: problem.sources.map((source, s) => ({
        ...{ ...source, count: COUNT, window, weight: 1, terms: terms[s]! },
        availableAt: createArrivals({ kind: 'poisson', rate: LOAD * scale }, createRng(`${name} ${LOAD} ${s}`))
      })),
      carries,
      policy: POLICIES[policy]
    })
    if (sources.some(({ stuck }) => stuck !== undefined)) return undefined
    const inTime = sources.flatMap(({ results }, s) =>
      results.filter(r => r.completedAt - r.availableAt <= terms[s]!.deadline)
    )
    return (LOAD * inTime.length) / (COUNT * sources.length)
  }
  const goodput: Record<string, number | undefined> = {}
  for (const policy of POLICY_NAMES)
    for (const times of DEADLINES)
      for (const window of WINDOWS) goodput[key(policy, times, window)] = run(policy, times, window)
  return { name, goodput }
}

const main = async (): Promise<void> => {
  const names = networkNames(process.argv[2] ?? String(NETWORKS))
  const results = await eachInThreads<NetworkResult>(fileURLToPath(import.meta.url), 'goodput', names)
  const cases = DEADLINES.flatMap(times => WINDOWS.map(window => [times, window] as const))
  const rows = POLICY_NAMES.map(policy => [
    policy,
    ...cases.map(([times, window]) => {
      const shares = results.flatMap(({ goodput }) => goodput[key(policy, times, window)] ?? [])
      return shares.length === 0 ? '-' : `${average(shares).toFixed(2)} (${Math.min(...shares).toFixed(2)})`
    })
  ])
  const head = ['policy', ...cases.map(([times, window]) => `deadline ${times},\nwindow ${window}`)]
  process.stdout.write(
    `${[
      `${names.length} random networks at ${LOAD} times what they serve: results in time, as a share of what they serve, mean (least)`,
      `deadlines as multiples of what a datum takes alone; queues of ${QUEUE}, the oldest dropped; networks that a policy cannot serve left out`,
      textTable(
        head.map((title, i) => ({ title, align: i === 0 ? 'left' : 'right' })),
        rows
      )
    ].join('\n')}\n`
  )
}

if (!answerIn('goodput', runNetwork)) await main()
