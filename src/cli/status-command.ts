import { hostname } from 'node:os'
import { Command } from 'commander'
import { seconds } from '../core/units.ts'
import { collect } from './collect.ts'

interface StatusFlags {
  readonly name?: string
  readonly state?: string
  readonly join: string[]
  readonly joinFile: string[]
  readonly clusterKey?: string
  readonly timeout: string
  readonly json?: boolean
}

export const command = new Command('status')
  .summary('the live cluster: devices, blocks, queues, rates, sources, losses')
  .description(
    'Ask a running device about its cluster. Any device can answer: the one on this machine, or one at an address.'
  )
  .option('--name <name>', 'the device on this machine (default: the host name)')
  .option('--state <dir>', 'its state folder (default: ~/.tributary/NAME)')
  .option(
    '--join <invite-or-address>',
    'ask the device at this address instead (an address needs --cluster-key); - reads it from standard input',
    collect,
    []
  )
  .option('--join-file <file>', 'the same from a file; or from the variable TRIBUTARY_JOIN', collect, [])
  .option('--cluster-key <file>', 'the shared key')
  .option('--timeout <seconds>', 'give up after this long', '10')
  .option('--json', 'print one JSON document')
  .addHelpText(
    'after',
    '\nRates and shares are of the last ten seconds.\n\nExit code 0 with an answer; 2 where no device can be asked.\n\nExample:\n  $ tributary status --state ~/.tributary/porch\n'
  )
  .action(async (flags: StatusFlags) => {
    const { askStatus } = await import('./node/ask-status.ts')
    const status = await askStatus({
      name: flags.name ?? hostname(),
      state: flags.state,
      join: flags.join,
      joinFiles: flags.joinFile,
      clusterKey: flags.clusterKey,
      timeout: seconds(Number(flags.timeout) || 10)
    })
    const { describeStatus } = await import('./status/describe-status.ts')
    process.stdout.write(flags.json === true ? `${JSON.stringify(status)}\n` : `${describeStatus(status)}\n`)
  })
