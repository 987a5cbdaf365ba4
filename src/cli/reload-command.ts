import { hostname } from 'node:os'
import { Command } from 'commander'
import { seconds } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'

interface ReloadFlags {
  readonly name?: string
  readonly state?: string
  readonly timeout: string
  readonly json?: boolean
}

export const command = new Command('reload')
  .summary('let a running device read its --config file again')
  .description(
    'The device on this machine that was started with --config takes the sources, sinks and models that the file names now; what is under way is not lost. A config with anything wrong is refused whole, and the old one goes on. SIGHUP does the same.'
  )
  .option('--name <name>', 'the device on this machine (default: the host name)')
  .option('--state <dir>', 'its state folder (default: ~/.tributary/NAME)')
  .option('--timeout <seconds>', 'give up waiting after this long', '600')
  .option('--json', 'print what has changed as one JSON document')
  .addHelpText('after', '\nExample:\n  $ tributary reload --state ~/.tributary/porch\n')
  .action(async ({ name = hostname(), state, timeout, json }: ReloadFlags) => {
    const limit = Number(timeout)
    if (!(limit > 0 && limit <= 86_400))
      throw new UserError(`--timeout "${timeout}" must be seconds, above 0 and at most 86400`)
    const nobody = { join: [], joinFiles: [], clusterKey: undefined }
    const { askReload } = await import('./node/ask-reload.ts')
    const report = await askReload({ name, state, ...nobody, timeout: seconds(limit) })
    const { describeReload } = await import('./node/describe-reload.ts')
    process.stdout.write(json === true ? `${JSON.stringify(report)}\n` : `${describeReload(report)}\n`)
  })
