import { Command } from 'commander'
import { parseTime } from '../core/parse-quantity.ts'
import { type Seconds, seconds } from '../core/units.ts'
import { NoAnswerError, UserError } from '../core/user-error.ts'
import { collect } from './collect.ts'
import { COSTS_HELP } from './scenario/costs-help.ts'

interface PlanFlags {
  readonly objective: string
  readonly timeLimit: string
  readonly costs: string[]
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
  .option('--costs <file>', COSTS_HELP, collect, [])
  .option('--json', 'print one JSON document')
  .addHelpText(
    'after',
    '\nA demand is the rate of a source, or 1 where it is saturated; "scale" multiplies all demands.\n\nExit code 0 with a plan, also where it does not meet a demand; 1 where there is none; 2 for wrong use.\n\nExamples:\n  $ tributary plan scenarios/heterogeneous.yaml\n  $ tributary plan mine.yaml --costs costs.json --time-limit 60\n\nHow a scenario is written: docs/simulation.md; examples: scenarios/\n'
  )
  .action(async (file: string, flags: PlanFlags) => {
    if (flags.objective !== 'demand')
      throw new UserError(`--objective "${flags.objective}" is not known; there is one: demand`)
    const { planFile } = await import('./plan/plan-file.ts')
    const { report, text } = await planFile(file, {
      timeLimit: timeLimitOf(flags.timeLimit),
      costsFiles: flags.costs,
      say: line => void process.stderr.write(`${line}\n`)
    })
    if (flags.json === true) process.stdout.write(`${JSON.stringify(report)}\n`)
    else if (text !== '') process.stdout.write(`${text}\n`)
    if (report.predicted === null)
      throw new NoAnswerError(`${file}: ${report.status === 'infeasible' ? 'infeasible: ' : ''}${report.because}`)
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
