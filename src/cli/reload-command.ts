import { Command } from 'commander'
import { type AskFlags, askOptionsOf, withLocalFlags } from './ask-flags.ts'

interface ReloadFlags extends AskFlags {
  readonly json?: boolean
}

export const command = withLocalFlags(
  new Command('reload')
    .summary('let a running device read its --config file again')
    .description(
      'The device on this machine that was started with --config takes the sources, sinks and models that the file names now; what is under way is not lost. A config with anything wrong is refused whole, and the old one goes on. SIGHUP does the same.'
    ),
  '600'
)
  .option('--json', 'print what has changed as one JSON document')
  .addHelpText('after', '\nExample:\n  $ tributary reload --state ~/.tributary/porch\n')
  .action(async (flags: ReloadFlags) => {
    const { askReload } = await import('./node/ask-reload.ts')
    const report = await askReload(askOptionsOf(flags))
    const { describeReload } = await import('./node/describe-reload.ts')
    process.stdout.write(flags.json === true ? `${JSON.stringify(report)}\n` : `${describeReload(report)}\n`)
  })
