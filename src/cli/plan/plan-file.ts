import { formatSeconds } from '../../core/format-quantity.ts'
import type { Scenario } from '../../core/scenario.ts'
import { scenarioAtStart } from '../../core/scenario-at-start.ts'
import type { Seconds } from '../../core/units.ts'
import { type Allowance, TimeLimit } from '../../planner/allowance.ts'
import type { BlockTable } from '../../planner/block-table.ts'
import type { CapacityProblem } from '../../planner/capacity-problem.ts'
import { explainPlan } from '../../planner/explain-plan.ts'
import type { PlanOutcome } from '../../planner/plan.ts'
import { loadSolver } from '../../runtime/highs.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import { boundReport, whereItFits } from '../../studies/bound-report.ts'
import { chosenPolicies } from '../../studies/chosen-policies.ts'
import { demandReports } from '../../studies/demand-report.ts'
import { modelProfiles } from '../../studies/model-profiles.ts'
import type { PlanReport } from '../../studies/plan-report.ts'
import { planScenario } from '../../studies/planned-scenario.ts'
import { readScenario } from '../scenario/read-scenario.ts'
import { describePlan } from './describe-plan.ts'

export interface PlanFileOptions {
  readonly timeLimit: Seconds
  readonly costsFiles: readonly string[]
  readonly say: (text: string) => void
}

/** Seconds beyond the limit for times and comparisons; what is not known by then is left out. */
const GRACE = 0.5

/** @returns what is printed, as a document and for people */
export const planFile = async (
  file: string,
  { timeLimit, costsFiles, say }: PlanFileOptions
): Promise<{ report: PlanReport; text: string }> => {
  const written = await readScenario(file)
  const scenario = scenarioAtStart(written)
  chosenPolicies(scenario.policy, `${file}: policy`)
  const profiles = await modelProfiles(scenario, say, costsFiles)
  const measured = scenario.models.filter(({ kind }) => kind === 'file').map(({ name }) => name)
  if (measured.length > 0 && costsFiles.length === 0)
    say(
      `what ${measured.join(', ')} cost was measured now, and comes out a little different each time; profile --out and --costs keep it`
    )
  if (written.events.length > 0)
    say(`planned for the network as it is at the start${lateOnes(written, scenario)}; its events are not planned for`)
  say(`planning, at most ${formatSeconds(timeLimit)} …`)
  const time = new TimeLimit(timeLimit, () => systemClock.now()).within(1, GRACE)
  const { problem, outcome } = await planScenario(scenario, profiles, timeLimit)
  if (outcome.kind === 'infeasible') return withoutPlan(scenario, problem, outcome, time)
  const { plan } = outcome
  const explanation = explainPlan(problem, plan, await loadSolver(), time)
  const predicted = boundReport(problem, plan.predicted.scale, plan.table.carries, time)
  const boundWithMemory = boundReport(problem, plan.upper, whereItFits(problem), time)
  const demands = demandReports(scenario, predicted, boundWithMemory, explanation.bottleneck)
  const report: PlanReport = {
    scenario: scenario.name,
    status: plan.status,
    bound: boundReport(problem, plan.free.upper, () => true, time),
    boundWithMemory,
    placement: placementOf(problem, plan.table),
    predicted,
    gap: plan.gap,
    because: [`bottleneck: ${explanation.bottleneck}`, ...explanation.gains, explanation.pays].join('; '),
    cutOff: plan.isCutOff,
    demands
  }
  return { report, text: describePlan({ problem, plan, report, explanation, timeLimit }) }
}

/** Who joins later. */
const lateOnes = ({ devices }: Scenario, { devices: there }: Scenario): string => {
  const late = devices.filter(device => !there.includes(device)).map(({ name }) => name)
  return late.length === 0 ? '' : `, without ${late.slice(0, 4).join(', ')}${late.length > 4 ? ', …' : ''}`
}

const withoutPlan = (
  scenario: Scenario,
  problem: CapacityProblem,
  { free, isProven, because }: Extract<PlanOutcome, { kind: 'infeasible' }>,
  time: Allowance
): { report: PlanReport; text: string } => {
  const report: PlanReport = {
    scenario: scenario.name,
    status: isProven ? 'infeasible' : 'timeLimit',
    bound: free === undefined ? null : boundReport(problem, free.upper, () => true, time),
    boundWithMemory: null,
    placement: {},
    predicted: null,
    gap: null,
    because,
    cutOff: !isProven,
    demands: []
  }
  return { report, text: '' }
}

const placementOf = (problem: CapacityProblem, table: BlockTable): PlanReport['placement'] =>
  Object.fromEntries(
    problem.devices.map(({ name }, n) => [
      name,
      Object.fromEntries(
        problem.models.flatMap((model, m) => {
          const blocks = [...model.work.keys()].filter(k => table.carries(n, m, k))
          return blocks.length === 0 ? [] : [[model.name, blocks] as const]
        })
      )
    ])
  )
