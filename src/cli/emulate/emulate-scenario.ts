import { join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import type { ModelProfile } from '../../core/model-profile.ts'
import type { Scenario } from '../../core/scenario.ts'
import { bytes, seconds } from '../../core/units.ts'
import { BlockTable } from '../../planner/block-table.ts'
import type { PolicyRun, RunReport } from '../../report/run-report.ts'
import type { PolicyName } from '../../scheduler/policies.ts'
import { modelProfiles } from '../scenario/model-profiles.ts'
import { planScenario } from '../scenario/planned-scenario.ts'
import { scenarioReport } from '../scenario/scenario-report.ts'
import { writeOutputs } from '../scenario/write-outputs.ts'
import { simulatePolicy } from '../simulate/simulate-policy.ts'
import { type EmulatedRun, emulatePolicy } from './emulate-policy.ts'
import type { EmulatedModel } from './emulated-cluster.ts'
import { calibrateSynthetic, writeSyntheticModel } from './write-synthetic-model.ts'

export interface EmulateScenarioParts {
  readonly scenario: Scenario
  readonly policies: readonly PolicyName[]
  readonly seed: number
  readonly folder: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly say: (text: string) => void
  readonly againstSimulation: boolean
  readonly command: string
  readonly reportFolder?: string
}

/** Emulate a scenario under each policy in turn; simulate it with the same costs and placement where that is asked for. */
export const emulateScenario = async (parts: EmulateScenarioParts): Promise<RunReport> => {
  const { scenario, policies, folder, say } = parts
  const models = await emulatedModels(scenario, folder, say)
  const profiles = await measuredProfiles(scenario, models, say)
  const { problem, outcome } = await planScenario(scenario, profiles)
  const runs: PolicyRun[] = []
  const simulated: PolicyRun[] = []
  const inferenceTimes: { policy: string; source: string; seconds: readonly number[] }[] = []
  for (const policy of policies) {
    say(`${policy}: starting ${scenario.devices.length} devices …`)
    const emulated = await emulatePolicy({ ...parts, models, policy, folder: join(folder, policy), progress: say })
    runs.push(emulated.run)
    for (const [s, { name }] of scenario.sources.entries())
      inferenceTimes.push({ policy, source: name, seconds: emulated.inferenceTimes[s]! })
    if (!parts.againstSimulation) continue
    const table = tableOf(scenario, profiles, problem, emulated)
    simulated.push(simulatePolicy({ scenario, profiles, policy, seed: parts.seed, table }).run)
  }
  const report: RunReport = {
    ...scenarioReport(scenario, problem, outcome, runs),
    ...(parts.againstSimulation ? { simulated } : {})
  }
  if (parts.reportFolder !== undefined) {
    const trace = { tasks: [], transfers: [], inferenceTimes }
    const { reportFolder, command } = parts
    await writeOutputs({ report, trace, problem, outcome, command, reportFolder, say })
  }
  return report
}

/** Files to run: the scenario's own, or made for its sizes and times. */
const emulatedModels = async (
  scenario: Scenario,
  folder: string,
  say: (text: string) => void
): Promise<EmulatedModel[]> => {
  const models: EmulatedModel[] = []
  let calibration: Awaited<ReturnType<typeof calibrateSynthetic>> | undefined
  for (const model of scenario.models) {
    const { name } = model
    if (model.kind === 'file') {
      const { file, shapes, maxBlocks } = model
      models.push({ name, file, tensors: [], shapes, maxBlocks })
      continue
    }
    if (calibration === undefined) say('measuring what made-up work takes here …')
    calibration ??= await calibrateSynthetic(folder)
    const { file, tensors } = await writeSyntheticModel(model, folder, calibration)
    models.push({ name, file, tensors, shapes: [], maxBlocks: model.blocks.length })
  }
  return models
}

/** What the blocks take here, as the owner of a model measures it. */
const measuredProfiles = async (
  scenario: Scenario,
  models: readonly EmulatedModel[],
  say: (text: string) => void
): Promise<readonly ModelProfile[]> => {
  const { cutsAtTensors, studyModel } = await import('../../model/cut-model.ts')
  const { openModel } = await import('../../runtime/onnx/open-model.ts')
  const { profileBlocks } = await import('../../runtime/onnx/profile-blocks.ts')
  const profiles: ModelProfile[] = []
  for (const [m, model] of scenario.models.entries()) {
    if (model.kind === 'file') {
      profiles.push(...(await modelProfiles({ ...scenario, models: [model] }, say)))
      continue
    }
    const { model: studied, cuts } = cutsAtTensors(
      await studyModel(models[m]!.file, new Map(), openModel),
      models[m]!.tensors
    )
    const { blocks, activations } = await profileBlocks(studied, cuts, { runs: 12, threads: 1 })
    profiles.push({
      name: model.name,
      work: blocks.map(block => seconds(block.least)),
      weights: blocks.map(block => bytes(block.bytes)),
      activations: activations.map(bytes)
    })
  }
  return profiles
}

/** The placement that the running cluster had. */
const tableOf = (
  scenario: Scenario,
  profiles: readonly ModelProfile[],
  problem: ConstructorParameters<typeof BlockTable>[0],
  { placement }: EmulatedRun
): BlockTable => {
  // The cluster's own count of memory already held; a table without limits takes what it placed.
  const free = { ...problem, devices: problem.devices.map(d => ({ ...d, memory: bytes(Number.POSITIVE_INFINITY) })) }
  const table = new BlockTable(free)
  for (const [n, { name }] of scenario.devices.entries()) {
    for (const [m, profile] of profiles.entries())
      for (const k of placement[profile.name]?.[name] ?? []) table.put(n, m, k)
  }
  return table
}
