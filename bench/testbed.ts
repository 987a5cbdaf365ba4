import '../src/core/promise-with-resolvers.ts'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type EmulatedScenario, emulateScenario } from '../src/cli/emulate/emulate-scenario.ts'
import type { Footing } from '../src/cli/emulate/footing.ts'
import { readScenario } from '../src/cli/scenario/read-scenario.ts'
import type { Scenario } from '../src/core/scenario.ts'
import { seconds } from '../src/core/units.ts'
import { UserError } from '../src/core/user-error.ts'
import type { PolicyRun } from '../src/report/run-report.ts'
import { textTable } from '../src/report/text-table.ts'
import { systemClock } from '../src/runtime/system-clock.ts'
import { CpuQuota } from './testbed/cpu-quota.ts'
import { missingForTestbed } from './testbed/missing-for-testbed.ts'
import { refuseForTestbed } from './testbed/refuse-for-testbed.ts'
import { stopOnSignals } from './testbed/stop-on-signals.ts'
import { type QuotaHolds, Testbed } from './testbed/testbed.ts'

// The same scenarios on two footings: the portable emulation (`tributary emulate`), and network namespaces with the
// kernel's token buckets and CPU quotas. `npm run bench:testbed -- mesh FILE.yaml`: only these; a name is a file of
// bench/emulation. Latencies are 0 on both: the kernel's delays (netem) are often absent.

const FOLDER = join(import.meta.dirname, '..', '..', 'bench', 'emulation')
const POLICY = 'confluence'

const say = (text: string): void => void process.stderr.write(`${text}\n`)
const WORDS = { blocks: 'blocks', device: 'whole process' } as const
const percent = (share: number): string => `${share >= 0 ? '+' : ''}${(100 * share).toFixed(1)} %`
const meanTime = ({ sources }: PolicyRun): number => {
  const completed = sources.reduce((sum, source) => sum + source.completed, 0)
  return sources.reduce((sum, source) => sum + source.completed * source.inferenceTime.mean, 0) / completed
}

const rowOf = (
  name: string,
  holds: QuotaHolds,
  { devices }: Scenario,
  speeds: readonly number[],
  portable: PolicyRun,
  hard: PolicyRun
): string[] => [
  ...[name, WORDS[holds], devices.map(({ speed }) => speed).join(' '), speeds.map(s => s.toFixed(2)).join(' ')],
  ...[`${hard.throughput.toFixed(1)}/s`, `${portable.throughput.toFixed(1)}/s`],
  percent(portable.throughput / hard.throughput - 1),
  ...[`${(1000 * meanTime(hard)).toFixed(0)} ms`, `${(1000 * meanTime(portable)).toFixed(0)} ms`],
  percent(meanTime(portable) / meanTime(hard) - 1),
  `${[portable, hard].flatMap(({ sources }) => sources).reduce((sum, { lost }) => sum + lost, 0)}`
]

const withoutLatency = (scenario: Scenario): Scenario => ({
  ...scenario,
  links: scenario.links.map(link => ({ ...link, latency: seconds(0) })),
  events: scenario.events.map(event => (event.kind === 'link' ? { ...event, latency: undefined } : event))
})

const because = await missingForTestbed()
if (because !== undefined) {
  process.stdout.write(`skipped: the testbed cannot run here: ${because}\n`)
  process.exit(0)
}
const words = process.argv.slice(2)
const scratch = await mkdtemp(join(tmpdir(), 'tributary-testbed-'))
const signal = stopOnSignals(process, () => say('stopping the devices and removing the testbed …'))

const runOn = async (scenario: Scenario, name: string, footing?: Footing): Promise<EmulatedScenario> => {
  const folder = join(scratch, `${name}-${footing === undefined ? 'portable' : 'testbed'}`)
  await mkdir(folder)
  return emulateScenario({
    ...{ scenario, policies: [POLICY], seed: 1, folder, clock: systemClock, signal },
    ...{ say, againstSimulation: false, adapts: true, command: 'bench testbed', traceFile: join(folder, 'trace.json') },
    // On the testbed a block takes its time because it computes that long.
    ...(footing === undefined ? {} : { footing, computedShare: 1 })
  })
}

/** Work done by time spent on it: a quota is a share of a core, of which the neighbours use the caches and the other half. */
const speedsOf = ({ tasks, models }: EmulatedScenario, { devices }: Scenario): readonly number[] =>
  devices.map(({ name, speed }) => {
    const own = tasks.filter(({ device }) => device === name)
    const spent = own.reduce((sum, { start, end }) => sum + end - start, 0)
    const done = own.reduce((sum, { model, block }) => sum + models.find(m => m.name === model)!.work[block]!, 0)
    return spent > 0 ? Math.min(1, done / spent) : speed
  })

const modes: readonly QuotaHolds[] = (await CpuQuota.canHoldThreads()) ? ['blocks', 'device'] : ['device']
const rows: string[][] = []
try {
  for (const word of words.length > 0 ? words : ['mesh', 'radio', 'chain']) {
    const file = existsSync(word) ? word : join(FOLDER, `${word}.yaml`)
    const name = basename(file, '.yaml')
    const scenario = withoutLatency(await readScenario(file))
    refuseForTestbed(scenario, file)
    for (const holds of modes) {
      say(`${name}: testbed, ${scenario.devices.length} namespaces, a quota for each device's ${WORDS[holds]}`)
      await using testbed = await Testbed.open(scenario, holds)
      const hard = await runOn(scenario, `${name}-${holds}`, testbed)
      const speeds = speedsOf(hard, scenario)
      say(`${name}: portable emulation of devices as fast as these were`)
      const devices = scenario.devices.map((device, n) => ({ ...device, speed: speeds[n]! }))
      const portable = await runOn({ ...scenario, devices }, `${name}-${holds}`)
      rows.push(rowOf(name, holds, scenario, speeds, portable.report.runs[0]!, hard.report.runs[0]!))
      say(rows.at(-1)!.join(' | '))
    }
  }
} catch (error) {
  if (signal.aborted) process.exitCode = 130
  else if (error instanceof UserError) {
    say(error.message)
    process.exitCode = 2
  } else throw error
} finally {
  await rm(scratch, { recursive: true, force: true, maxRetries: 5 })
}
const head = [
  ...['scenario', 'quota', 'speeds asked', 'speeds had', 'testbed', 'portable', 'deviation'],
  ...['mean time', 'portable', 'deviation', 'lost']
]
if (rows.length > 0)
  process.stdout.write(
    `${textTable(
      head.map((title, i) => ({ title, align: i < 2 ? 'left' : 'right' })),
      rows
    )}\nconfluence, latencies 0; portable: tributary emulate with devices as fast as those of the testbed were\n`
  )
