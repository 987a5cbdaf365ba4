import { hostname } from 'node:os'
import { Command } from 'commander'
import { UserError } from '../core/user-error.ts'
import { readRunning, stateFolderOf } from '../runtime/device/state-folder.ts'

export const command = new Command('invite')
  .summary("print the cluster's invite again")
  .description(
    'Print the invite of the cluster that the device on this machine belongs to. Whoever has it can join: treat it as a password.'
  )
  .option('--name <name>', 'the device (default: the host name)')
  .option('--state <dir>', 'its state folder (default: ~/.tributary/NAME)')
  .option('--json', 'print { invite, addresses }')
  .action(async (flags: { readonly name?: string; readonly state?: string; readonly json?: boolean }) => {
    const folder = stateFolderOf(flags.name ?? hostname(), flags.state)
    const running = await readRunning(folder)
    if (running === undefined) {
      throw new UserError(
        `--state ${folder.path}: no device runs with it; start one with: tributary node --state ${folder.path}`
      )
    }
    const { invite, addresses } = running
    process.stdout.write(flags.json === true ? `${JSON.stringify({ invite, addresses })}\n` : `${invite}\n`)
  })
