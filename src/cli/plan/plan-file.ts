import { formatSeconds } from '../../core/format-quantity.ts'
import type { Scenario } from '../../core/scenario.ts'
import { scenarioAtStart } from '../../core/scenario-at-start.ts'
import type { Seconds } from '../../core/units.ts'
import { chosenPolicies } from '../../studies/chosen-policies.ts'
import { modelProfiles } from '../../studies/model-profiles.ts'
import type { PlanReport } from '../../studies/plan-report.ts'
import { reportPlan } from '../../studies/report-plan.ts'
import { readScenario } from '../scenario/read-scenario.ts'
import { describePlan } from './describe-plan.ts'

export interface PlanFileOptions {
  readonly timeLimit: Seconds
  readonly costsFiles: readonly string[]
  readonly say: (text: string) => void
}

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
  const { report, found } = await reportPlan(scenario, profiles, timeLimit)
  return { report, text: found === undefined ? '' : describePlan({ ...found, report, timeLimit }) }
}

/** Who joins later. */
const lateOnes = ({ devices }: Scenario, { devices: there }: Scenario): string => {
  const late = devices.filter(device => !there.includes(device)).map(({ name }) => name)
  return late.length === 0 ? '' : `, without ${late.slice(0, 4).join(', ')}${late.length > 4 ? ', …' : ''}`
}
