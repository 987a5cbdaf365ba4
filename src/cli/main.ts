#!/usr/bin/env node
import '../core/promise-with-resolvers.ts'
import { Command, CommanderError, type Option } from 'commander'
import { describeSystemError } from '../core/describe-system-error.ts'
import { systemErrorOf } from '../core/system-error-of.ts'
import { NoAnswerError, UserError } from '../core/user-error.ts'
import { VERSION } from '../node/version.ts'
import { hidePassword } from '../runtime/io/hide-password.ts'
import { guardOutput } from './guard-output.ts'
import { hideArguments } from './hide-arguments.ts'
import { refuseMangled } from './refuse-mangled.ts'
import { withFlags } from './with-flags.ts'

/** Commands load when they are used: `tributary inspect` does not start libp2p. */
const program = new Command('tributary')
  .description(
    'One neural network, run across the devices you already have, fed from the places where the data is born.'
  )
  .version(VERSION)
  .addHelpText(
    'after',
    '\nExit codes: 0 answered; 1 ran, but has no good answer (infeasible, lost data, a mismatch); 2 wrong use or unreadable\ninput, with one line that says what to do; 130 stopped by Ctrl-C. More of each command in its --help.\n'
  )
  .showHelpAfterError('(add --help for how to use this command)')
  .exitOverride()

/** By name. Each file exports its `command`. A command's flags are light; what it does is loaded when it runs. */
const COMMANDS: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  inspect: () => import('./inspect-command.ts'),
  cut: () => import('./cut-command.ts'),
  profile: () => import('./profile-command.ts'),
  plan: () => import('./plan-command.ts'),
  simulate: () => import('./simulate-command.ts'),
  emulate: () => import('./emulate-command.ts'),
  node: () => import('./node-command.ts'),
  status: () => import('./status-command.ts'),
  top: () => import('./top-command.ts'),
  trace: () => import('./trace-command.ts'),
  dashboard: () => import('./dashboard-command.ts'),
  invite: () => import('./invite-command.ts'),
  member: () => import('./member-command.ts'),
  key: () => import('./key-command.ts'),
  infer: () => import('./infer-command.ts'),
  model: () => import('./model-command.ts'),
  drain: () => import('./drain-command.ts'),
  reload: () => import('./reload-command.ts'),
  service: () => import('./service-command.ts'),
  doctor: () => import('./doctor-command.ts'),
  zoo: () => import('./zoo-command.ts'),
  prune: () => import('./prune-command.ts'),
  demo: () => import('./demo-command.ts')
}

/** The one that is called by its name, or all: each is some files to be found and read. */
const register = async (called: string | undefined): Promise<void> => {
  const known = called !== undefined && Object.hasOwn(COMMANDS, called) ? COMMANDS[called] : undefined
  const loads = known === undefined ? Object.values(COMMANDS) : [known]
  for (const load of loads) program.addCommand((await load()).command)
}

/** As commander does it, but an empty list is no default worth telling. */
const describeOption = (option: Option): string => {
  if (Array.isArray(option.defaultValue)) return option.description
  return option.defaultValue === undefined || typeof option.defaultValue === 'boolean'
    ? option.description
    : `${option.description} (default: ${option.defaultValue})`
}

const prepare = (command: Command): void => {
  command.exitOverride()
  command.configureHelp({ optionDescription: describeOption })
  command.commands.forEach(prepare)
}

/** Where closing something failed too, after what went wrong first. */
const firstThrown = (error: unknown): unknown =>
  error instanceof Error && error.name === 'SuppressedError' && 'suppressed' in error
    ? firstThrown(error.suppressed)
    : error

const main = async (): Promise<number> => {
  // Of a broker, a camera, a webhook.
  if (process.argv.some(word => hidePassword(word) !== word)) hideArguments()
  await register(process.argv[2])
  program.commands.forEach(prepare)
  try {
    refuseMangled(process.argv.slice(2))
    await program.parseAsync()
    return Number(process.exitCode ?? 0) // a command may have set it
  } catch (thrown) {
    const error = firstThrown(thrown)
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof UserError || error instanceof NoAnswerError) {
      process.stderr.write(`tributary: ${withFlags(error)}\n`)
      return error instanceof UserError ? 2 : 1
    }
    // A disk that is full or read-only, a file of another user, too many open files: the machine's, not the program's.
    const refusal = systemErrorOf(error)
    if (refusal === undefined) throw error
    process.stderr.write(`tributary: ${describeSystemError(refusal)}\n`)
    return 2
  }
}

guardOutput()
const code = await main()
process.exitCode = code === 0 ? (process.exitCode ?? 0) : code
