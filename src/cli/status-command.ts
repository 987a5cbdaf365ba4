import { Command } from 'commander'
import { type AskFlags, askOptionsOf, withAskFlags } from './ask-flags.ts'
import { parseInterval } from './live/parse-interval.ts'

interface StatusFlags extends AskFlags {
  readonly watch?: boolean
  readonly interval: string
  readonly json?: boolean
}

export const command = withAskFlags(
  new Command('status')
    .summary('the live cluster: devices, blocks, queues, rates, sources, losses')
    .description(
      'Ask a running device about its cluster. Any device can answer: the one on this machine, or one at an address.'
    )
)
  .option('--watch', 'show it anew again and again, until q or Ctrl-C')
  .option('--interval <seconds>', 'with --watch: how often', '1')
  .option('--json', 'print one JSON document; with --watch one each time, a line each')
  .addHelpText(
    'after',
    '\nRates and shares are of the last ten seconds.\n\nExit code 0 with an answer; 2 where no device can be asked.\n\nExamples:\n  $ tributary status --state ~/.tributary/porch\n  $ tributary status --name porch --watch\n'
  )
  .action(async (flags: StatusFlags) => {
    const options = askOptionsOf(flags)
    const interval = parseInterval(flags.interval)
    const { openAsker } = await import('./node/open-asker.ts')
    const { askStatus } = await import('./node/ask-status.ts')
    const { describeStatus } = await import('./status/describe-status.ts')
    const { terminalWidth } = await import('./live/terminal-width.ts')
    const { harmless } = await import('./harmless.ts')
    await using asker = await openAsker(options)
    const show = async (): Promise<string> => {
      const status = await askStatus(asker)
      return flags.json === true
        ? JSON.stringify(status)
        : harmless(describeStatus(status, terminalWidth(process.stdout)))
    }
    if (flags.watch !== true) process.stdout.write(`${await show()}\n`)
    else {
      const { showLive } = await import('./live/show-live.ts')
      await showLive({ interval, plain: flags.json === true, show })
    }
  })
