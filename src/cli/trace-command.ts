import { Command } from 'commander'
import { UserError } from '../core/user-error.ts'
import { type AskFlags, askOptionsOf, withAskFlags } from './ask-flags.ts'

interface TraceFlags extends AskFlags {
  readonly source?: string
  readonly datum?: string
  readonly last?: boolean
  readonly json?: boolean
}

export const command = withAskFlags(
  new Command('trace')
    .summary('what one datum went through: waited, computed, travelled, on which device')
    .description(
      'The way of one datum through the cluster, step by step. Devices remember what they did last; nothing has to be turned on before.'
    )
    .option(
      '--source <name>',
      'its source, by name; name@device where several devices have one (default: the only source)'
    )
    .option('--last', 'the last datum that has ended; so it is unless --datum is given')
    .option('--datum <n>', 'this datum, by its number')
)
  .option('--json', 'print { source, datum, home, outcome, reason, took, traceId, within, parts }: seconds')
  .addHelpText(
    'after',
    '\nEach device remembers its last 4096 steps: a block that it ran, an activation that it sent, a datum that a source of its\nadmitted or that ended. Clocks of devices are compared when they are asked.\n\nExit code 0 with an answer; 1 where nothing is remembered of it; 2 where no device can be asked.\n\nExamples:\n  $ tributary trace --name porch\n  $ tributary trace --name porch --source cam --last\n  $ tributary trace --name porch --source cam --datum 41\n'
  )
  .action(async (flags: TraceFlags) => {
    if (flags.last === true && flags.datum !== undefined)
      throw new UserError('--last and --datum exclude each other: keep one')
    const datum = flags.datum === undefined ? undefined : numberOf(flags.datum)
    const options = askOptionsOf(flags)
    const { openAsker } = await import('./node/open-asker.ts')
    const { askSteps } = await import('./node/ask-steps.ts')
    const { askStatus } = await import('./node/ask-status.ts')
    const { sourceToTrace } = await import('./trace/source-to-trace.ts')
    const { chosenSteps } = await import('./trace/chosen-steps.ts')
    const { datumPath } = await import('./trace/datum-path.ts')
    const { describePath } = await import('./trace/describe-path.ts')
    const { harmless } = await import('./harmless.ts')
    await using asker = await openAsker(options)
    const status = () => askStatus(asker)
    const source = flags.source ?? (await sourceToTrace(undefined, status))
    const told = await askSteps(asker, source, datum)
    if (told.steps.length === 0) await sourceToTrace(source, status) // one that has gone may be remembered
    const path = datumPath(told, chosenSteps(told, source, datum))
    process.stdout.write(flags.json === true ? `${JSON.stringify(path)}\n` : `${harmless(describePath(path))}\n`)
  })

const numberOf = (text: string): number => {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new UserError(`--datum "${text}" is not the number of a datum: they are counted from 0`)
}
