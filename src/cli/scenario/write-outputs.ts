import { open, writeFile } from 'node:fs/promises'
import { describeEvent } from '../../core/describe-event.ts'
import { describeFileError } from '../../core/describe-file-error.ts'
import type { Scenario } from '../../core/scenario.ts'
import { UserError } from '../../core/user-error.ts'
import type { CapacityProblem } from '../../planner/capacity-problem.ts'
import type { PlanOutcome } from '../../planner/plan.ts'
import type { RunReport } from '../../report/run-report.ts'
import type { RunTrace } from '../../report/run-trace.ts'
import { makeFolder } from '../make-folder.ts'

export interface OutputPlaces {
  /** File for the Chrome trace, folder for the web page. */
  readonly traceFile?: string
  readonly reportFolder?: string
}

export interface Outputs extends OutputPlaces {
  readonly report: RunReport
  readonly scenario: Pick<Scenario, 'events' | 'devices'>
  readonly trace: Omit<RunTrace, 'placement' | 'events'>
  readonly problem: CapacityProblem
  readonly outcome: PlanOutcome
  /** How to get this again. */
  readonly command: string
  readonly say: (text: string) => void
}

/** Before a run that may take long: can they be written? @throws UserError when not */
export const prepareOutputs = async ({ traceFile, reportFolder }: OutputPlaces): Promise<void> => {
  if (traceFile !== undefined) await orExplain('--trace', traceFile, async () => (await open(traceFile, 'a')).close())
  if (reportFolder === undefined) return
  await orExplain('--report', reportFolder, () => makeFolder(reportFolder))
  const { loadVega } = await import('../../report/render-figure.ts')
  await loadVega()
}

/** Write what was asked for: the trace, the report, both or none. */
export const writeOutputs = async (outputs: Outputs): Promise<void> => {
  const { report, say, traceFile, reportFolder, command } = outputs
  const { events, devices } = outputs.scenario
  const marks = events.map(event => ({ at: event.at, text: describeEvent(event, devices) }))
  const trace: RunTrace = { ...outputs.trace, events: marks, placement: placementOf(outputs) }
  if (traceFile !== undefined) {
    const { chromeTrace } = await import('../../report/chrome-trace.ts')
    await orExplain('--trace', traceFile, () => writeFile(traceFile, JSON.stringify(chromeTrace(trace))))
    say(`trace written to ${traceFile}; open it at https://ui.perfetto.dev or chrome://tracing`)
  }
  if (reportFolder !== undefined) {
    const { writeReport } = await import('../report/write-report.ts')
    await orExplain('--report', reportFolder, () => writeReport(reportFolder, { report, trace, command }))
    say(`report written to ${reportFolder}/index.html`)
  }
}

const orExplain = async (flag: string, where: string, write: () => Promise<unknown>): Promise<void> => {
  try {
    await write()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    throw new UserError(`${flag} ${where}: ${describeFileError(error)}`)
  }
}

const placementOf = ({ problem, outcome }: Outputs): RunTrace['placement'] => {
  if (outcome.kind !== 'plan') return {}
  const { table } = outcome.plan
  return Object.fromEntries(
    problem.devices.map(({ name }, n) => [
      name,
      Object.fromEntries(
        problem.models.map((model, m) => [model.name, [...model.work.keys()].filter(k => table.carries(n, m, k))])
      )
    ])
  )
}
