import { Command } from 'commander'
import { formatBytes, formatSeconds } from '../core/format-quantity.ts'
import { parseTime } from '../core/parse-quantity.ts'
import { type Seconds, seconds } from '../core/units.ts'
import { NoAnswerError, UserError } from '../core/user-error.ts'
import type { BlockTable } from '../planner/block-table.ts'
import type { CapacityProblem } from '../planner/capacity-problem.ts'
import type { Explanation } from '../planner/explain-plan.ts'
import type { Plan } from '../planner/plan.ts'
import { blockRanges } from '../report/block-ranges.ts'
import type { BoundReport } from '../report/run-report.ts'
import { textTable } from '../report/text-table.ts'

interface PlanFlags {
  readonly objective: string
  readonly timeLimit: string
  readonly json?: boolean
}

export const command = new Command('plan')
  .summary('capacity bound, placement, predicted rates and times of a scenario')
  .description(
    'What is the most that this network can serve, where should which blocks be for it, and what limits it? Prints the bound without and with memory limits, a placement with its gap to the bound, and what more of the bottleneck would give.'
  )
  .argument('<scenario>', 'a scenario file (YAML or JSON)')
  .option('--objective <what>', 'demand: the largest common factor on the demand of all sources', 'demand')
  .option('--time-limit <s>', 'seconds, or a time like 500ms, for the search', '10')
  .option('--json', 'print one JSON document')
  .addHelpText(
    'after',
    '\nA demand is the rate of a source, or 1 where it is saturated; "scale" multiplies all demands.\n\nExample:\n  $ tributary plan scenarios/heterogeneous.yaml\n\nHow a scenario is written: docs/simulation.md; examples: scenarios/\n'
  )
  .action(async (file: string, flags: PlanFlags) => {
    if (flags.objective !== 'demand')
      throw new UserError(`--objective "${flags.objective}" is not known; there is one: demand`)
    const printed = await planFile(file, timeLimitOf(flags.timeLimit))
    process.stdout.write(flags.json === true ? `${JSON.stringify(printed.json)}\n` : `${printed.text}\n`)
    if (printed.json.status === 'infeasible') throw new NoAnswerError(`${file}: infeasible: ${printed.json.because}`)
  })

const timeLimitOf = (text: string): Seconds => {
  const bare = /^\d+(\.\d+)?$/.test(text.trim())
  try {
    const limit = bare ? seconds(Number(text)) : parseTime(text)
    if (limit > 0 && limit <= 86_400) return limit
  } catch {
    // said below
  }
  throw new UserError(`--time-limit "${text}": seconds above 0 and at most 86400, like 5 or 500ms`)
}

type Status = 'optimal' | 'timeLimit' | 'infeasible'

interface PlanJson {
  readonly scenario: string
  readonly status: Status
  readonly bound: BoundReport | null
  readonly boundWithMemory: BoundReport | null
  readonly placement: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>
  readonly predicted: BoundReport | null
  readonly gap: number | null
  readonly because: string
}

const planFile = async (file: string, timeLimit: Seconds): Promise<{ json: PlanJson; text: string }> => {
  const { readScenario } = await import('./scenario/read-scenario.ts')
  const { modelProfiles } = await import('./scenario/model-profiles.ts')
  const { planScenario } = await import('./scenario/planned-scenario.ts')
  const { explainPlan } = await import('../planner/explain-plan.ts')
  const { boundReport } = await import('./scenario/bound-report.ts')
  const { loadSolver } = await import('../runtime/highs.ts')
  const scenario = await readScenario(file)
  const profiles = await modelProfiles(scenario, text => process.stderr.write(`${text}\n`))
  if (scenario.events.length > 0)
    process.stderr.write('planned for the network as it is at the start; its events are not planned for\n')
  process.stderr.write(`planning, at most ${formatSeconds(timeLimit)} …\n`)
  const { problem, outcome } = await planScenario(scenario, profiles, timeLimit)
  if (outcome.kind === 'infeasible') {
    const bound = outcome.free === undefined ? null : boundReport(problem, outcome.free.scale, () => true)
    const json: PlanJson = {
      scenario: scenario.name,
      status: 'infeasible',
      bound,
      boundWithMemory: null,
      placement: {},
      predicted: null,
      gap: null,
      because: outcome.because
    }
    return { json, text: `${scenario.name}: infeasible: ${outcome.because}` }
  }
  const { plan } = outcome
  const explanation = explainPlan(problem, plan, await loadSolver())
  const json: PlanJson = {
    scenario: scenario.name,
    status: plan.status,
    bound: boundReport(problem, plan.free.scale, () => true),
    boundWithMemory: boundReport(problem, plan.upper, plan.table.carries),
    placement: placementOf(problem, plan.table),
    predicted: boundReport(problem, plan.predicted.scale, plan.table.carries),
    gap: plan.gap,
    because: [`bottleneck: ${explanation.bottleneck}`, ...explanation.gains, explanation.pays].join('; ')
  }
  return { json, text: describe(problem, plan, json, explanation) }
}

const placementOf = (problem: CapacityProblem, table: BlockTable): PlanJson['placement'] =>
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

const rate = (perSecond: number): string => `${perSecond.toPrecision(3)}/s`

const describe = (problem: CapacityProblem, plan: Plan, json: PlanJson, explanation: Explanation): string => {
  const devices = problem.devices.map(({ name, memory }, n) => {
    const carried = Object.entries(json.placement[name]!).map(([model, blocks]) => `${model} ${blockRanges(blocks)}`)
    const used = [...plan.table.of(n)].reduce((sum, [m, k]) => sum + plan.table.size(m, k), 0)
    const limit = memory === Number.POSITIVE_INFINITY ? 'no limit' : formatBytes(memory)
    return [
      name,
      carried.join('; ') || 'nothing',
      formatBytes(used),
      limit,
      `${(100 * plan.predicted.use[n]!).toFixed(0)} %`
    ]
  })
  const sources = problem.sources.map(({ name, demand }) => [
    name,
    rate(demand),
    rate(json.predicted!.rates[name]!),
    rate(json.boundWithMemory!.rates[name]!),
    rate(json.bound!.rates[name]!),
    formatSeconds(json.predicted!.latency[name]!)
  ])
  return [
    textTable(
      [
        { title: 'device' },
        { title: 'carries' },
        { title: 'bytes' },
        { title: 'memory' },
        { title: 'busy', align: 'right' }
      ],
      devices
    ),
    '',
    textTable(
      ['source', 'demand', 'predicted', 'bound', 'without memory limits', 'unloaded time'].map((title, i) => ({
        title,
        align: i === 0 ? 'left' : 'right'
      })),
      sources
    ),
    '',
    `scale       ${plan.predicted.scale.toPrecision(4)} (${plan.status}; at most ${(100 * plan.gap).toFixed(1)} % below what any placement can serve)`,
    `bottleneck  ${explanation.bottleneck}`,
    ...explanation.gains.map(gain => `            ${gain}`),
    `            ${explanation.pays}`
  ].join('\n')
}
