import { readScenario } from '../../src/cli/scenario/read-scenario.ts'
import type { Scenario } from '../../src/core/scenario.ts'
import { type Seconds, seconds } from '../../src/core/units.ts'
import { worldOf } from '../../src/planner/capacity-bound.ts'
import { POLICIES, type PolicyName } from '../../src/scheduler/policies.ts'
import { modelProfiles } from '../../src/studies/model-profiles.ts'
import { planScenario } from '../../src/studies/planned-scenario.ts'
import { policyPlacement } from '../../src/studies/policy-placement.ts'
import { type SimulatedRun, simulatePolicy } from '../../src/studies/simulate-policy.ts'
import { taskState } from '../../src/testing/task-state.ts'

type Planned = Awaited<ReturnType<typeof planScenario>>

/** What is asked of a scenario that stands for a published result; each run is made once. */
export class ScenarioFacts {
  readonly #scenario: Scenario
  readonly #profiles: Awaited<ReturnType<typeof modelProfiles>>
  readonly #planned: Planned
  readonly #runs = new Map<PolicyName, SimulatedRun>()

  private constructor(scenario: Scenario, profiles: Awaited<ReturnType<typeof modelProfiles>>, planned: Planned) {
    this.#scenario = scenario
    this.#profiles = profiles
    this.#planned = planned
  }

  static async read(file: string): Promise<ScenarioFacts> {
    const scenario = await readScenario(file)
    const profiles = await modelProfiles(scenario, () => {})
    return new ScenarioFacts(scenario, profiles, await planScenario(scenario, profiles))
  }

  /** Data per second that no policy exceeds, all sources together. */
  bound(): number {
    const { outcome, problem } = this.#planned
    const free = outcome.kind === 'plan' ? outcome.plan.free : outcome.free
    return (free?.upper ?? Number.NaN) * problem.sources.reduce((sum, { demand }) => sum + demand, 0)
  }

  /**
   * Data per second of a source, the first by default, once its pipeline is full: over the middle half of its results, so that
   * neither filling nor draining counts.
   */
  steadyRate(policy: PolicyName, source?: string): number {
    const { results } = this.#run(policy)
    const s = source === undefined ? 0 : this.#scenario.sources.findIndex(({ name }) => name === source)
    const times = results[s]!.map(({ completedAt }) => completedAt).sort((a, b) => a - b)
    const [first, last] = [Math.floor(times.length / 4), Math.floor((3 * times.length) / 4)]
    return (last - first) / (times[last]! - times[first]!)
  }

  /** Mean inference time of a source, or of all sources' data together. */
  meanTime(policy: PolicyName, source?: string): Seconds {
    const { inferenceTimes } = this.#run(policy)
    const wanted = this.#scenario.sources.flatMap(({ name }, s) =>
      source === undefined || name === source ? inferenceTimes[s]! : []
    )
    return seconds(wanted.reduce((a, b) => a + b, 0) / wanted.length)
  }

  /** Of the route that a policy gives the first source's first datum: the device that computes longest. */
  slowestStage(policy: PolicyName): Seconds {
    const { device: home, model, name: source, weight } = this.#scenario.sources[0]!
    const { problem, outcome } = this.#planned
    const world = worldOf(problem, policyPlacement(problem, outcome, policy).carries)
    const none = seconds(0)
    const host = { self: home, world, backlog: () => none, linkBacklog: () => none, tasks: () => [] }
    const decision = POLICIES[policy](host).admit(taskState({ source, model, home, weight }), none)
    if (decision.kind !== 'go') throw new Error(`${policy} does not serve ${source}: ${JSON.stringify(decision)}`)
    const busy = new Map<number, number>()
    let block = 0
    for (const { device, until } of decision.steps)
      for (; block < until; block++) busy.set(device, (busy.get(device) ?? 0) + world.blockTime(device, model, block))
    return seconds(Math.max(...busy.values()))
  }

  #run(policy: PolicyName): SimulatedRun {
    const known = this.#runs.get(policy)
    if (known !== undefined) return known
    const { problem, outcome, place } = this.#planned
    const table = policyPlacement(problem, outcome, policy)
    const run = simulatePolicy({ scenario: this.#scenario, profiles: this.#profiles, policy, seed: 1, table, place })
    this.#runs.set(policy, run)
    return run
  }
}
