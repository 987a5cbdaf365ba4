#!/usr/bin/env node
import 'core-js/actual/promise/with-resolvers.js' // libp2p needs it; Node 20 has it not
import { Command, CommanderError, type Option } from 'commander'
import { describeSystemError } from '../core/describe-system-error.ts'
import { systemErrorOf } from '../core/system-error-of.ts'
import { NoAnswerError, UserError } from '../core/user-error.ts'
import { VERSION } from '../node/version.ts'
import { guardOutput } from './guard-output.ts'
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

/** Each file exports its `command`. A command's flags are light; what it does is loaded when it runs. */
const COMMANDS = [
  () => import('./inspect-command.ts'),
  () => import('./cut-command.ts'),
  () => import('./profile-command.ts'),
  () => import('./plan-command.ts'),
  () => import('./simulate-command.ts'),
  () => import('./emulate-command.ts'),
  () => import('./node-command.ts'),
  () => import('./status-command.ts'),
  () => import('./top-command.ts'),
  () => import('./trace-command.ts'),
  () => import('./dashboard-command.ts'),
  () => import('./invite-command.ts'),
  () => import('./member-command.ts'),
  () => import('./key-command.ts'),
  () => import('./infer-command.ts'),
  () => import('./model-command.ts'),
  () => import('./drain-command.ts'),
  () => import('./reload-command.ts'),
  () => import('./service-command.ts'),
  () => import('./doctor-command.ts'),
  () => import('./zoo-command.ts'),
  () => import('./prune-command.ts'),
  () => import('./demo-command.ts')
]

const register = async (): Promise<void> => {
  for (const load of COMMANDS) program.addCommand((await load()).command)
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
  await register()
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
