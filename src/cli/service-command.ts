import { Command } from 'commander'
import type { ServiceFlags } from './service/service-flags.ts'

const INSTALL_EXAMPLES = `
Examples:
  Look at the unit and at what would be run, and change nothing:
    $ tributary service install --dry-run -- --name porch --join-file invite.txt --memory 64MiB
  A device of the machine, which starts with it; root makes it, and it runs as somebody else:
    $ sudo tributary service install --run-as pi -- --config /etc/tributary/porch.yaml
  One of your own, which needs no root:
    $ tributary service install --user -- --name porch --join-file invite.txt

What stands behind -- are the flags of tributary node. They are checked before anything is written, and paths in them are
relative to the folder where this command was given. An invite belongs in a file (--join-file): everybody may read a unit.`

const scoped = (command: Command): Command =>
  command
    .option('--system', 'a unit of the machine, which root makes (default: where this is run by root)')
    .option('--user', "a unit of this user's own (default: where it is not)")
    .option('--json', 'print one JSON document')

const named = (command: Command): Command =>
  scoped(command).option('--name <name>', 'the device (default: the host name)')

const install = scoped(new Command('install'))
  .summary('make a systemd unit for a device, and start it')
  .description(
    'Writes the unit tributary-NAME.service, with the memory settings for devices that live long (docs/runtime.md), lets systemd start it now and with the machine, and says what was done.'
  )
  .argument('[flags...]', 'flags of tributary node, behind --')
  .option('--run-as <user>', 'whom a unit of the machine runs as (default: who called sudo)')
  .option('--dry-run', 'print the unit and what would be run; nothing is changed')
  .addHelpText('after', INSTALL_EXAMPLES)
  .action(async (args: string[], flags: ServiceFlags) => {
    const { installService } = await import('./service/install-service.ts')
    await installService(args, flags)
  })

const uninstall = named(new Command('uninstall'))
  .summary('stop the device and remove its unit')
  .description('Stops the device and removes its unit. Its state folder stays: identity, key, blocks, what is done.')
  .option('--dry-run', 'print what would be run; nothing is changed')
  .addHelpText('after', '\nExample:\n  $ tributary service uninstall --name porch --dry-run\n')
  .action(async (flags: ServiceFlags) => {
    const { uninstallService } = await import('./service/uninstall-service.ts')
    await uninstallService(flags)
  })

const status = named(new Command('status'))
  .summary('whether the unit is installed and the device runs')
  .description('Asks systemd for the unit of a device. What the device itself says is in tributary status.')
  .addHelpText(
    'after',
    '\nExit code 0 where it runs, 1 where it does not or is not installed.\n\nExample:\n  $ tributary service status --name porch\n'
  )
  .action(async (flags: ServiceFlags) => {
    const { serviceStatus } = await import('./service/service-status.ts')
    await serviceStatus(flags)
  })

export const command = new Command('service')
  .summary('a device that starts with the machine (systemd): install, uninstall, status')
  .description('Let systemd start a device with the machine and again when it has ended.')
  .addCommand(install)
  .addCommand(uninstall)
  .addCommand(status)
