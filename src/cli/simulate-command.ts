import { Command } from 'commander'
import type { EncodingChoice } from '../core/activation-encoding.ts'
import { formatSeconds } from '../core/format-quantity.ts'
import type { ModelProfile } from '../core/model-profile.ts'
import type { Scenario } from '../core/scenario.ts'
import type { PolicyRun, RunReport } from '../report/run-report.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { collect } from './collect.ts'
import { parseCount } from './parse-count.ts'
import { ENCODING_HELP, parseEncodingChoice } from './parse-encoding-choice.ts'
import { parseSeed } from './parse-seed.ts'
import { COSTS_HELP } from './scenario/costs-help.ts'
import { refuseFailure } from './scenario/refuse-failure.ts'

interface SimulateFlags {
  readonly policy?: string
  readonly seed: string
  readonly seeds: string
  readonly trace?: string
  readonly report?: string
  readonly costs: string[]
  readonly adaptation: boolean
  readonly activationEncoding: string
  readonly json?: boolean
}

export const command = new Command('simulate')
  .summary('simulate a scenario under one or more policies')
  .description(
    'Discrete events, driven by the very policies that running devices use. Blocks are placed by the planner; policies that need whole models get them where they fit. The same seed gives the same run.'
  )
  .argument('<scenario>', 'a scenario file (YAML or JSON)')
  .option('--policy <names>', 'policies with commas between, or all (default: the one in the scenario)')
  .option('--seed <n>', 'seed of random arrivals', '1')
  .option('--seeds <n>', 'so many seeds, from --seed on: means with 95 % intervals', '1')
  .option('--costs <file>', COSTS_HELP, collect, [])
  .option('--no-adaptation', 'keep costs, link rates and placement as they are at the start, whatever happens')
  .option(
    '--activation-encoding <name>',
    `${ENCODING_HELP}; links are then as fast as that makes them, with what encoding takes on this machine`,
    'fp32'
  )
  .option('--trace <file>', 'write what ran and was sent when, in the Chrome trace format (opens in Perfetto)')
  .option('--report <dir>', 'write a web page with figures, and the figures as files')
  .option('--json', 'print one JSON document')
  .addHelpText(
    'after',
    '\nExit code 0 when every policy that was named finished; 1 when one could not (with all: when none could); 2 for wrong use.\n\nExamples:\n  $ tributary simulate scenarios/heterogeneous.yaml --policy all\n  $ tributary simulate mine.yaml --policy confluence,ddi --seeds 10 --report out\n\nHow a scenario is written: docs/simulation.md; examples: scenarios/\n'
  )
  .action(async (file: string, flags: SimulateFlags) => {
    const report = await simulateFile(file, flags)
    if (flags.json === true) process.stdout.write(`${JSON.stringify(report)}\n`)
    else {
      const { describeRuns } = await import('./scenario/describe-runs.ts')
      process.stdout.write(`${describeRuns(report)}\n`)
    }
    refuseFailure(report.runs, flags.policy)
  })

const simulateFile = async (file: string, flags: SimulateFlags): Promise<RunReport> => {
  const { readScenario } = await import('./scenario/read-scenario.ts')
  const { chosenPolicies } = await import('../studies/chosen-policies.ts')
  const { modelProfiles } = await import('../studies/model-profiles.ts')
  const { planScenario } = await import('../studies/planned-scenario.ts')
  const { policyPlacement } = await import('../studies/policy-placement.ts')
  const { scenarioReport } = await import('../studies/scenario-report.ts')
  const { refuseTooLong } = await import('../studies/refuse-too-long.ts')
  const { simulatePolicy } = await import('../studies/simulate-policy.ts')
  const { SpanCollector } = await import('./simulate/span-collector.ts')
  const say = (text: string): void => void process.stderr.write(`${text}\n`)
  const choice = parseEncodingChoice(flags.activationEncoding)
  const written = await readScenario(file)
  const policies = chosenPolicies(
    flags.policy ?? written.policy,
    flags.policy === undefined ? `${file}: policy` : '--policy'
  )
  const seeds = seedsOf(flags)
  const { prepareOutputs, writeOutputs } = await import('./scenario/write-outputs.ts')
  await prepareOutputs(placesOf(flags))
  const measured = await modelProfiles(written, say, flags.costs)
  const { scenario, profiles } = await encoded(written, measured, choice)
  const { problem, outcome, place, atStart } = await planScenario(scenario, profiles)
  refuseTooLong(scenario, { problem, outcome }, file)
  if (outcome.kind === 'infeasible') say(`no placement: ${outcome.because}`)
  const spans =
    flags.trace !== undefined || flags.report !== undefined ? new SpanCollector(scenario, measured) : undefined
  const runs: PolicyRun[] = []
  const inferenceTimes: { policy: string; source: string; seconds: readonly number[] }[] = []
  for (const policy of policies) {
    const table = policyPlacement(problem, outcome, policy)
    for (const seed of seeds) {
      const observe = seed === seeds[0] ? spans?.observer(policy) : undefined
      const start = systemClock.now()
      const adapts = flags.adaptation
      const parts = {
        scenario,
        profiles,
        policy,
        seed,
        table,
        adapts,
        place,
        ...(observe === undefined ? {} : { observe })
      }
      const { run, events, inferenceTimes: times, results } = simulatePolicy(parts)
      say(`${policy}, seed ${seed}: ${events} events in ${formatSeconds(systemClock.now() - start)}`)
      runs.push(run)
      if (seed !== seeds[0]) continue
      spans?.results(policy, results)
      for (const [s, { name }] of scenario.sources.entries())
        inferenceTimes.push({ policy, source: name, seconds: times[s]! })
    }
  }
  sayLateEvents(scenario, runs, say)
  const report = scenarioReport(scenario, atStart.problem, atStart.outcome, runs)
  if (spans !== undefined) {
    const trace = { tasks: spans.tasks, transfers: spans.transfers, data: spans.data, inferenceTimes }
    await writeOutputs({
      report,
      scenario,
      trace,
      problem,
      outcome,
      command: commandOf(file, flags),
      ...placesOf(flags),
      say
    })
    if (spans.left > 0) say(`${spans.left} spans more than a trace holds were left out`)
  }
  return report
}

/** Events that nobody saw. */
const sayLateEvents = ({ events }: Scenario, runs: readonly PolicyRun[], say: (text: string) => void): void => {
  const end = Math.max(0, ...runs.map(({ makespan }) => makespan))
  const late = events.filter(({ at }) => at > end)
  if (late.length > 0)
    say(
      `${late.length} of ${events.length} events came after the end of every run (the longest took ${formatSeconds(end)}), the first at ${formatSeconds(late[0]!.at)}: they changed nothing`
    )
}

/** With links as fast as the encoding makes them; what it takes is measured here. */
const encoded = async (written: Scenario, measured: readonly ModelProfile[], choice: EncodingChoice) => {
  if (choice === 'fp32') return { scenario: written, profiles: measured }
  const { encodedProfiles } = await import('../core/encoded-profiles.ts')
  const { encodedScenario } = await import('../core/encoded-scenario.ts')
  const { CodecMeter } = await import('../runtime/dispatch/codec-meter.ts')
  const { costs } = new CodecMeter(() => systemClock.now())
  return {
    scenario: encodedScenario(written, choice, costs),
    profiles: encodedProfiles(measured, written, choice, costs)
  }
}

const commandOf = (file: string, flags: SimulateFlags): string =>
  [
    `tributary simulate ${file}`,
    ...(flags.policy === undefined ? [] : [`--policy ${flags.policy}`]),
    `--seed ${flags.seed}`,
    ...(flags.seeds === '1' ? [] : [`--seeds ${flags.seeds}`]),
    ...flags.costs.map(costs => `--costs ${costs}`),
    ...(flags.adaptation ? [] : ['--no-adaptation']),
    ...(flags.activationEncoding === 'fp32' ? [] : [`--activation-encoding ${flags.activationEncoding}`]),
    ...(flags.report === undefined ? [] : [`--report ${flags.report}`])
  ].join(' ')

const placesOf = ({ trace, report }: SimulateFlags) => ({
  ...(trace === undefined ? {} : { traceFile: trace }),
  ...(report === undefined ? {} : { reportFolder: report })
})

const seedsOf = ({ seed, seeds }: SimulateFlags): readonly number[] => {
  const length = parseCount('--seeds', seeds, 10_000)
  const first = parseSeed(seed, length)
  return Array.from({ length }, (_, i) => first + i)
}
