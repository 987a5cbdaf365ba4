import { createArrivals } from '../core/arrivals.ts'
import type { ModelProfile } from '../core/model-profile.ts'
import { createRng } from '../core/rng.ts'
import type { Scenario } from '../core/scenario.ts'
import { timeSummary } from '../core/time-summary.ts'
import type { BlockTable } from '../planner/block-table.ts'
import type { Placement, PlacementProblem } from '../planner/placement.ts'
import { problemOfScenario } from '../planner/problem-of-scenario.ts'
import { lateness } from '../report/lateness.ts'
import type { PolicyRun } from '../report/run-report.ts'
import { POLICIES, type PolicyName } from '../scheduler/policies.ts'
import type { CreatePolicy } from '../scheduler/policy.ts'
import { wholeModelsOf } from '../scheduler/whole-models-of.ts'
import { simulate } from '../simulator/simulate.ts'
import type { Observer, ReplacementInput, SimulationOutput } from '../simulator/simulation-input.ts'

export interface SimulatedRun {
  readonly run: PolicyRun
  readonly events: number
  /** By source, of every completed datum, in order of completion. */
  readonly inferenceTimes: readonly (readonly number[])[]
  /** The same data, with their instants. */
  readonly results: readonly SimulationOutput['sources'][number]['results'][]
}

export interface SimulatePolicyParts {
  readonly scenario: Scenario
  readonly profiles: readonly ModelProfile[]
  /** Its name; of one of the program's own, that as which it is reported. */
  readonly policy: string
  /** @default that of this name */
  readonly createPolicy?: CreatePolicy
  readonly seed: number | string
  readonly table: BlockTable
  readonly observe?: Observer
  /** False: costs, rates and placement stay as they are at the start. Default: true. */
  readonly adapts?: boolean
  /** Places blocks anew where events change the network. */
  readonly place: (problem: PlacementProblem) => Placement
}

/** One run of one policy with one seed. The same seed gives the same arrivals to every policy, and to a running source. */
export const simulatePolicy = (parts: SimulatePolicyParts): SimulatedRun => {
  const { scenario, profiles, seed, table, observe, adapts, place } = parts
  const rng = createRng(seed)
  const output = simulate({
    devices: scenario.devices,
    links: scenario.links,
    models: profiles,
    sources: scenario.sources.map(source => ({
      ...source,
      availableAt: createArrivals(source.arrivals, rng.fork(source.name))
    })),
    carries: table.carries,
    policy: creatorOf(parts),
    events: scenario.events,
    adapts: adapts !== false,
    ...(scenario.events.length === 0 ? {} : { replacement: replacementOf(parts, place) }),
    ...(observe === undefined ? {} : { observe })
  })
  return {
    run: policyRun(parts, output),
    events: output.events,
    inferenceTimes: output.sources.map(({ results }) => results.map(r => r.completedAt - r.availableAt)),
    results: output.sources.map(({ results }) => results)
  }
}

const creatorOf = ({ policy, createPolicy }: SimulatePolicyParts): CreatePolicy =>
  createPolicy ?? POLICIES[policy as PolicyName]

const replacementOf = (parts: SimulatePolicyParts, place: SimulatePolicyParts['place']): ReplacementInput => ({
  memory: parts.scenario.devices.map(({ memory }) => memory),
  weights: parts.profiles.map(({ weights }) => weights),
  demands: problemOfScenario(parts.scenario, parts.profiles).sources.map(({ demand }) => demand),
  wholeModels: wholeModelsOf(creatorOf(parts)),
  place
})

const policyRun = (
  { scenario, profiles, policy, seed }: SimulatePolicyParts,
  { makespan, moved, sources, devices, links }: SimulationOutput
): PolicyRun => {
  const per = (amount: number): number => (makespan > 0 ? amount / makespan : 0)
  /** Where data are lost, devices may work on after the last result. */
  const share = (time: number): number => Math.min(1, per(time))
  const stuck = sources.flatMap(({ name, stuck: because }) => (because === undefined ? [] : [`${name}: ${because}`]))
  return {
    policy,
    seed,
    emulated: false,
    ...(scenario.events.length === 0 ? {} : { weightsMoved: moved }),
    makespan,
    throughput: per(sources.reduce((sum, { completed }) => sum + completed, 0)),
    sources: sources.map(({ name, admitted, completed, dropped, results }, s) => {
      const times = results.map(r => r.completedAt - r.availableAt)
      return {
        name,
        admitted,
        completed,
        dropped,
        lost: admitted - completed - dropped,
        ...lateness(scenario.sources[s]!.terms, times),
        rate: per(completed),
        inferenceTime: timeSummary(times)
      }
    }),
    devices: devices.map(({ name, busy, tasks, blocks }, n) => ({
      name,
      busy: share(busy),
      tasks,
      residentBytes:
        (scenario.devices[n]!.lanes ?? 1) *
        blocks.flatMap((of, m) => of.map(k => profiles[m]!.weights[k]!)).reduce((a, b) => a + b, 0)
    })),
    links: links.map(({ from, to, bytes, busy }) => ({
      from: scenario.devices[from]!.name,
      to: scenario.devices[to]!.name,
      bytes,
      busy: share(busy)
    })),
    ...(stuck.length === 0 ? {} : { because: [...new Set(stuck)].join('; ') })
  }
}
