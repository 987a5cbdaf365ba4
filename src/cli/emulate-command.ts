import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import type { Scenario } from '../core/scenario.ts'
import { NoAnswerError, UserError } from '../core/user-error.ts'
import type { RunReport } from '../report/run-report.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { collect } from './collect.ts'
import { hadChildren } from './demo/live-children.ts'
import { describeEncodingReport } from './emulate/describe-encoding-report.ts'
import { isStop } from './emulate/is-stop.ts'
import { refuseTooFast } from './emulate/refuse-too-fast.ts'
import { ENCODING_HELP, parseEncodingChoice } from './parse-encoding-choice.ts'
import { parseSeed } from './parse-seed.ts'
import { COSTS_HELP } from './scenario/costs-help.ts'
import { refuseFailure } from './scenario/refuse-failure.ts'
import { saying } from './scenario/saying.ts'

interface EmulateFlags {
  readonly policy?: string
  readonly seed: string
  readonly againstSimulation?: boolean
  readonly trace?: string
  readonly report?: string
  readonly costs: string[]
  readonly adaptation: boolean
  readonly activationEncoding: string
  readonly json?: boolean
}

export const command = new Command('emulate')
  .summary('run a scenario on real processes with emulated speeds and links')
  .description(
    'Every device of the scenario is a process of its own; real tensors go through real blocks over real connections; slower devices sleep, links are paced and delayed. Devices together should not be faster than this machine.'
  )
  .argument('<scenario>', 'a scenario file (YAML or JSON)')
  .option('--policy <names>', 'policies with commas between, or all (default: the one in the scenario)')
  .option('--seed <n>', 'seed of random arrivals', '1')
  .option('--costs <file>', COSTS_HELP, collect, [])
  .option('--no-adaptation', 'keep costs, link rates and placement as they are at the start, whatever happens')
  .option('--activation-encoding <name>', ENCODING_HELP, 'fp32')
  .option('--against-simulation', 'measure the blocks here, simulate with that, and print both side by side')
  .option('--trace <file>', 'write what ran and was sent when, in the Chrome trace format (opens in Perfetto)')
  .option('--report <dir>', 'write a web page with figures, and the figures as files')
  .option('--json', 'print one JSON document')
  .addHelpText(
    'after',
    '\nExit code 0 when every policy that was named brought all results home; 1 when one lost some or could not; 2 for wrong use;\n130 when it was stopped.\n\nExample:\n  $ tributary emulate scenarios/slow-link.yaml --policy confluence --against-simulation\n\nHow a scenario is written: docs/simulation.md; examples: scenarios/\n'
  )
  .action(async (file: string, flags: EmulateFlags) => {
    const { report, isStopped } = await emulateFile(file, flags)
    if (report !== undefined) await print(report, flags)
    if (isStopped) await exitAsStopped()
    else refuseFailure(report!.runs, flags.policy)
  })

/** As a shell counts what Ctrl-C ended; once what was printed is out. */
const exitAsStopped = async (): Promise<never> => {
  await new Promise<void>(resolve => void process.stdout.write('', () => resolve()))
  process.exit(130)
}

const print = async (report: RunReport, flags: EmulateFlags): Promise<void> => {
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(report)}\n`)
    return
  }
  const { describeRuns } = await import('./scenario/describe-runs.ts')
  process.stdout.write(`${describeRuns(report)}\n`)
  for (const { policy, encoding } of report.runs)
    if (encoding !== undefined) process.stdout.write(`\n${describeEncodingReport(policy, encoding)}\n`)
  if (report.simulated === undefined) return
  const { describeDeviation } = await import('./emulate/describe-deviation.ts')
  process.stdout.write(`\n${describeDeviation(report.runs, report.simulated)}\n`)
}

interface Emulated {
  /** Of the policies that had finished; absent where none had. */
  readonly report?: RunReport
  readonly isStopped: boolean
}

const emulateFile = async (file: string, flags: EmulateFlags): Promise<Emulated> => {
  const { readScenario } = await import('./scenario/read-scenario.ts')
  const { chosenPolicies } = await import('../studies/chosen-policies.ts')
  const { prepareOutputs } = await import('./scenario/write-outputs.ts')
  const { emulateScenario } = await import('./emulate/emulate-scenario.ts')
  const scenario = await readScenario(file)
  const policies = chosenPolicies(
    flags.policy ?? scenario.policy,
    flags.policy === undefined ? `${file}: policy` : '--policy'
  )
  const seed = parseSeed(flags.seed)
  const say = (text: string): void => void process.stderr.write(`${text}\n`)
  refuseNames(scenario, file)
  refuseTooFast(scenario, file)
  warnOfSpeeds(scenario, say)
  await checkFiles(scenario, file)
  const places = {
    ...(flags.trace === undefined ? {} : { traceFile: flags.trace }),
    ...(flags.report === undefined ? {} : { reportFolder: flags.report })
  }
  await prepareOutputs(places)
  const abort = new AbortController()
  const stop = (): void => {
    if (!hadChildren()) {
      // Nothing runs that must be asked to stop: measuring and planning are left where they are.
      rmSync(folder, { recursive: true, force: true })
      process.exit(130)
    }
    if (abort.signal.aborted) process.exit(130)
    say('stopping the devices … (again to kill them)')
    abort.abort(new NoAnswerError('stopped before the end'))
  }
  const folder = await mkdtemp(join(tmpdir(), 'tributary-emulate-'))
  process.on('SIGINT', stop).on('SIGTERM', stop)
  try {
    const { report } = await emulateScenario({
      scenario,
      policies,
      seed,
      folder,
      clock: systemClock,
      signal: abort.signal,
      say,
      againstSimulation: flags.againstSimulation === true,
      adapts: flags.adaptation,
      costsFiles: flags.costs,
      activationEncoding: parseEncodingChoice(flags.activationEncoding),
      command: commandOf(file, flags),
      ...places
    })
    return { report, isStopped: abort.signal.aborted }
  } catch (error) {
    if (isStop(error, abort.signal)) return { isStopped: true }
    throw error
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

const commandOf = (file: string, flags: EmulateFlags): string =>
  [
    `tributary emulate ${file}`,
    ...(flags.policy === undefined ? [] : [`--policy ${flags.policy}`]),
    `--seed ${flags.seed}`,
    ...flags.costs.map(costs => `--costs ${costs}`),
    ...(flags.adaptation ? [] : ['--no-adaptation']),
    ...(flags.activationEncoding === 'fp32' ? [] : [`--activation-encoding ${flags.activationEncoding}`]),
    ...(flags.againstSimulation === true ? ['--against-simulation'] : []),
    ...(flags.report === undefined ? [] : [`--report ${flags.report}`])
  ].join(' ')

/** Devices, sources and models are named on the command lines of real processes. */
const refuseNames = ({ devices, sources, models }: Scenario, file: string): void => {
  const check = (kind: string, names: readonly string[]): void => {
    const bad = names.find(name => !/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,62}$/u.test(name))
    if (bad !== undefined)
      throw new UserError(
        `${file}: ${kind}: "${bad}" cannot name a real process or file; use letters, digits, dot, dash and underscore, starting with a letter or digit`
      )
  }
  check(
    'devices',
    devices.map(({ name }) => name)
  )
  check(
    'sources',
    sources.map(({ name }) => name)
  )
  check(
    'models',
    models.map(({ name }) => name)
  )
}

/** Files are there, as many as are asked for, and one device reads all its files in one way: its process is told once. */
const checkFiles = async ({ sources, models, devices }: Scenario, file: string): Promise<void> => {
  const { countFiles } = await import('./scenario/count-files.ts')
  const ways = new Map<number, string>()
  for (const [i, { files, count, model, device }] of sources.entries()) {
    if (files === undefined) continue
    const where = `${file}: sources[${i}]`
    const there = await saying(`${where}.dir`, () => countFiles(files, models[model]!))
    if (count > there)
      throw new UserError(`${where}.count ${count}: ${files.dir} has ${there}; ask for at most that many, or for none`)
    const way = JSON.stringify(files.reading)
    if ((ways.get(device) ?? way) !== way)
      throw new UserError(
        `${where}: another source of ${devices[device]!.name} reads its files in another way; give all sources of a device the same preset or io`
      )
    ways.set(device, way)
  }
}

/** Together they should leave this machine something to breathe. */
const warnOfSpeeds = ({ devices }: Scenario, say: (text: string) => void): void => {
  const sum = devices.reduce((total, { speed }) => total + speed, 0)
  if (sum > 1.5)
    say(
      `speeds add up to ${sum.toFixed(2)}: this machine may not keep up, and then devices are slower than asked (1.5 is safe on two cores)`
    )
}
