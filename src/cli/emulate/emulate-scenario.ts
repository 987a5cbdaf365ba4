import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { EncodingChoice } from '../../core/activation-encoding.ts'
import type { Clock } from '../../core/clock.ts'
import { encodedProfiles } from '../../core/encoded-profiles.ts'
import { encodedScenario } from '../../core/encoded-scenario.ts'
import type { ModelProfile } from '../../core/model-profile.ts'
import type { Scenario } from '../../core/scenario.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { BlockTable } from '../../planner/block-table.ts'
import type { PolicyRun, RunReport } from '../../report/run-report.ts'
import type { DatumSpan, TaskSpan } from '../../report/run-trace.ts'
import { CodecMeter } from '../../runtime/dispatch/codec-meter.ts'
import { machineTimeOffset } from '../../runtime/system-clock.ts'
import type { PolicyName } from '../../scheduler/policies.ts'
import { expectedDuration } from '../../studies/expected-duration.ts'
import { modelProfiles } from '../../studies/model-profiles.ts'
import { planScenario } from '../../studies/planned-scenario.ts'
import { policyPlacement } from '../../studies/policy-placement.ts'
import { scenarioReport } from '../../studies/scenario-report.ts'
import { simulatePolicy } from '../../studies/simulate-policy.ts'
import { describeTime } from '../scenario/describe-time.ts'
import { writeOutputs } from '../scenario/write-outputs.ts'
import { couldNotCome } from './could-not-come.ts'
import { describeLateness } from './describe-lateness.ts'
import { type EmulatedRun, emulatePolicy } from './emulate-policy.ts'
import { EmulatedCluster, type EmulatedModel } from './emulated-cluster.ts'
import { emulatedPlacement } from './emulated-placement.ts'
import { encodingReport } from './encoding-report.ts'
import type { Footing } from './footing.ts'
import { isStop } from './is-stop.ts'
import { MergedTrace } from './merged-trace.ts'
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
  /** False: costs, rates and placement stay as they are when the run begins. */
  readonly adapts: boolean
  /** How activations travel between the devices. @default fp32 */
  readonly activationEncoding?: EncodingChoice | undefined
  /** What the models cost, saved by `profile`. Default: measured now. */
  readonly costsFiles?: readonly string[] | undefined
  /** @default the portable one */
  readonly footing?: Footing | undefined
  /** How much of the asked time a made-up block really computes; for the rest it waits. Default: what leaves room here. */
  readonly computedShare?: number | undefined
  readonly command: string
  readonly traceFile?: string
  readonly reportFolder?: string
}

export interface EmulatedScenario {
  readonly report: RunReport
  /** Each datum of each run; empty unless a trace or a report was asked for. */
  readonly data: readonly DatumSpan[]
  /** Each block that ran; empty likewise. */
  readonly tasks: readonly TaskSpan[]
  /** What the devices ran. */
  readonly models: readonly EmulatedModel[]
  /** As the runs of the report. */
  readonly emulated: readonly EmulatedRun[]
}

/** From here on what a device's memory becomes by and by counts for more than what new pages take. */
const LONG_LIFE: Seconds = seconds(300)

/** Emulate a scenario under each policy in turn; simulate it with the same costs and placement where that is asked for. */
export const emulateScenario = async (parts: EmulateScenarioParts): Promise<EmulatedScenario> => {
  const { scenario, policies, folder, traceFile, reportFolder, activationEncoding = 'fp32', clock, say } = parts
  const profiles = await modelProfiles(scenario, say, parts.costsFiles)
  const models = await emulatedModels(scenario, profiles, parts)
  const { costs } = new CodecMeter(() => clock.now())
  const priced = encodedScenario(scenario, activationEncoding, costs)
  const pricedProfiles = encodedProfiles(profiles, scenario, activationEncoding, costs)
  const { problem, outcome, place, atStart } = await planScenario(priced, pricedProfiles)
  if (outcome.kind === 'infeasible') say(`no placement: ${outcome.because}`)
  const runs: PolicyRun[] = []
  const simulated: PolicyRun[] = []
  const trace = traceFile === undefined && reportFolder === undefined ? undefined : new MergedTrace(scenario)
  const all: EmulatedRun[] = []
  const inferenceTimes: { policy: string; source: string; seconds: readonly number[] }[] = []
  for (const policy of policies) {
    if (parts.signal.aborted && runs.length > 0) break
    say(`${policy}: starting ${scenario.devices.length} devices …`)
    const own = {
      models,
      policy,
      folder: join(folder, policy),
      isTraced: trace !== undefined,
      livesLong: expectedDuration(scenario, outcome) > LONG_LIFE,
      activationEncoding,
      progress: say
    }
    const emulated = await emulatePolicy({ ...parts, ...own }).catch(error => {
      // What has finished is still worth something to whoever stopped the rest.
      if (isStop(error, parts.signal) && runs.length > 0) return undefined
      throw error
    })
    if (emulated === undefined) {
      say(`${policy} did not finish; this is of ${runs.map(run => run.policy).join(', ')} alone`)
      break
    }
    const simulation = (table: BlockTable): PolicyRun =>
      simulatePolicy({
        ...{ scenario: priced, profiles: pricedProfiles, policy, seed: parts.seed, table, adapts: parts.adapts, place }
      }).run
    const wrong = activationEncoding === 'fp32' ? wrongOf(emulated, all[0]) : undefined
    runs.push({
      ...emulated.run,
      ...verdictOf(emulated, wrong, missing =>
        couldNotCome(missing, scenario, simulation(policyPlacement(problem, outcome, policy)))
      ),
      ...(activationEncoding === 'fp32'
        ? {}
        : {
            encoding: await encodingReport({ scenario, models, seed: parts.seed, emulated, choice: activationEncoding })
          })
    })
    all.push(emulated)
    if (emulated.missing.length === 0) say(lineOf(emulated.run))
    if (trace !== undefined) await mergeTraces(trace, parts, policy, emulated)
    const lateness = describeLateness(emulated.run)
    if (lateness !== undefined) say(lateness)
    for (const [s, { name }] of scenario.sources.entries())
      inferenceTimes.push({ policy, source: name, seconds: emulated.inferenceTimes[s]! })
    if (!parts.againstSimulation) continue
    simulated.push(simulation(emulatedPlacement(scenario, profiles, problem, emulated)))
  }
  const report: RunReport = {
    ...scenarioReport(scenario, atStart.problem, atStart.outcome, runs),
    ...(parts.againstSimulation ? { simulated } : {})
  }
  if (trace !== undefined) {
    const { tasks, transfers, data, left } = trace
    const places = {
      ...(traceFile === undefined ? {} : { traceFile }),
      ...(reportFolder === undefined ? {} : { reportFolder })
    }
    const { command } = parts
    const spans = { tasks, transfers, data, inferenceTimes }
    await writeOutputs({ report, scenario, trace: spans, problem, outcome, command, ...places, say })
    if (left > 0) say(`${left} spans more than a trace holds were left out`)
  }
  return { report, data: trace?.data ?? [], tasks: trace?.tasks ?? [], models, emulated: all }
}

/** At once: the table comes at the end, and somebody may not wait for that. */
const lineOf = ({ policy, throughput, sources }: PolicyRun): string => {
  const each = sources.map(
    ({ name, completed, inferenceTime }) => `${name} ${completed} in ${describeTime(inferenceTime.mean)} each`
  )
  return `${policy}: ${throughput.toPrecision(3)}/s; ${each.join(', ')}`
}

/** What the devices of a run left, from the start of the run on. */
const mergeTraces = async (
  trace: MergedTrace,
  { scenario, folder }: EmulateScenarioParts,
  policy: string,
  { startedAt }: EmulatedRun
): Promise<void> => {
  const zero = seconds(startedAt + machineTimeOffset())
  for (const { name: device } of scenario.devices)
    await trace.add({ policy, device, file: EmulatedCluster.traceOf(join(folder, policy), device), zero })
}

/** The same datum has the same result under every policy: the same blocks ran on it, wherever they did. */
const wrongOf = ({ results }: EmulatedRun, first: EmulatedRun | undefined): string | undefined => {
  if (first === undefined) return undefined
  const wrong = [...results].filter(([datum, result]) => (first.results.get(datum) ?? result) !== result)
  if (wrong.length === 0) return undefined
  return `${wrong.length} results differ from those of ${first.run.policy}, the first ${wrong[0]![0]}`
}

const verdictOf = (
  { run, missing }: EmulatedRun,
  wrong: string | undefined,
  isExcused: (missing: EmulatedRun['missing']) => boolean
): Pick<PolicyRun, 'because' | 'cannotRun'> => {
  if (wrong !== undefined) return { because: run.because === undefined ? wrong : `${run.because}; ${wrong}` }
  return missing.length > 0 && isExcused(missing) ? { cannotRun: true } : {}
}

/** Files to run, the scenario's own or made for its sizes and times, and what their blocks take. */
const emulatedModels = async (
  scenario: Scenario,
  profiles: readonly ModelProfile[],
  { folder, say, computedShare }: EmulateScenarioParts
): Promise<EmulatedModel[]> => {
  const models: EmulatedModel[] = []
  const share = computedShare ?? safeShare(scenario)
  let calibration: Awaited<ReturnType<typeof calibrateSynthetic>> | undefined
  for (const [m, model] of scenario.models.entries()) {
    const { name } = model
    const { work, times, pinned } = profiles[m]!
    if (model.kind === 'file') {
      const { file, shapes, maxBlocks } = model
      models.push({ name, file, tensors: [], shapes, maxBlocks, work, times, pinned })
      continue
    }
    if (calibration === undefined) say('measuring what made-up work takes here …')
    calibration ??= await calibrateSynthetic(folder)
    const { file, tensors } = await writeSyntheticModel(
      { ...model, blocks: leastWork(model, scenario.devices) },
      folder,
      { ...calibration, share, seed: m + 1 }
    )
    models.push({ name, file, tensors, shapes: [], maxBlocks: model.blocks.length, work, times, pinned })
  }
  return models
}

/**
 * Of this machine's cores, what all made-up blocks together may use. Little: sending, receiving and scheduling, which no
 * scenario asks for, need several milliseconds for each datum, and a device whose turn comes late is another device.
 */
const COMPUTING = 0.25

/** How much of the asked time a made-up block really computes, at most nearly all; for the rest of its time it waits. */
const safeShare = ({ devices, models }: Scenario): number => {
  const asked = devices.reduce(
    (sum, { speed, lanes = 1 }, n) => sum + lanes * Math.max(...models.map(m => busyShare(m, devices, n) ?? speed)),
    0
  )
  return Math.min(0.9, (COMPUTING * availableParallelism()) / asked)
}

type Synthetic = Extract<Scenario['models'][number], { readonly kind: 'synthetic' }>

/** A made-up block is the same for all devices: what it computes must fit into its time on the fastest, at speed 1. */
const leastWork = ({ blocks, times }: Synthetic, devices: Scenario['devices']): Synthetic['blocks'] =>
  blocks.map(({ work, weights }, k) => {
    const measured = devices.map(({ speed }, n) => (times?.[n] === undefined ? work : times[n][k]! * speed))
    return { work: seconds(Math.min(...measured)), weights }
  })

/** Of a device's time, what the least work of a model's blocks is there; undefined where its speed says it. */
const busyShare = (model: Scenario['models'][number], devices: Scenario['devices'], n: number): number | undefined => {
  if (model.kind === 'file' || model.times?.[n] === undefined) return undefined
  const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0)
  return sum(leastWork(model, devices).map(({ work }) => work)) / sum(model.times[n])
}
