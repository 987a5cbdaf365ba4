import { Command } from 'commander'
import { type AskFlags, askOptionsOf, withAskFlags } from './ask-flags.ts'
import { parseInterval } from './live/parse-interval.ts'
import { parseCount } from './parse-count.ts'

interface TopFlags extends AskFlags {
  readonly sort: string
  readonly interval: string
  readonly count?: string
}

export const command = withAskFlags(
  new Command('top')
    .summary('devices and sources by what they use, live')
    .description('Devices and sources of a cluster, those that use most first, shown anew every second.')
)
  .option('--sort <by>', 'use, waiting or name; the key s changes it', 'use')
  .option('--interval <seconds>', 'how often it is shown anew', '1')
  .option('--count <n>', 'show it so many times, and end (default: until q or Ctrl-C)')
  .addHelpText(
    'after',
    '\nUse is the share of the last ten seconds in which a device computed, and the results a second of a source.\nWaiting is what is in queues of a device, and what of a source is under way.\n\nKeys: q quits, s sorts by another thing. Without a terminal one text follows the other.\n\nExit code 0 with an answer; 2 where no device can be asked; 130 after Ctrl-C.\n\nExamples:\n  $ tributary top --name porch\n  $ tributary top --name porch --sort waiting --count 1\n'
  )
  .action(async (flags: TopFlags) => {
    const { Sorting } = await import('./live/sorting.ts')
    const sorting = new Sorting(flags.sort)
    const interval = parseInterval(flags.interval)
    const count = flags.count === undefined ? undefined : parseCount('--count', flags.count, 1_000_000)
    const options = askOptionsOf(flags)
    const { openAsker } = await import('./node/open-asker.ts')
    const { askStatus } = await import('./node/ask-status.ts')
    const { describeTop } = await import('./live/describe-top.ts')
    const { harmless } = await import('./harmless.ts')
    const { showLive } = await import('./live/show-live.ts')
    await using asker = await openAsker(options)
    await showLive({
      interval,
      ...(count === undefined ? {} : { count }),
      show: async () => harmless(describeTop(await askStatus(asker), sorting.by)),
      keys: {
        help: () => `s sort by ${sorting.next} (now: ${sorting.by})`,
        pressed: key => key === 's' && sorting.change()
      }
    })
  })
