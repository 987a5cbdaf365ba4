import { mkdir, realpath, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import { nodeOfFlags } from '../node-of-flags.ts'
import { refuseForeign } from './refuse-foreign.ts'
import { refuseUnfit } from './refuse-unfit.ts'
import { runSteps, type Step } from './run-steps.ts'
import type { ServiceFlags } from './service-flags.ts'
import { type ServiceUnit, serviceUnit } from './service-unit.ts'
import { unitText } from './unit-text.ts'

/** Write the unit of a device and start it. @throws UserError before anything is written where a flag is wrong */
export const installService = async (args: readonly string[], flags: ServiceFlags): Promise<void> => {
  const { options, hasConfig } = await nodeOfFlags(args)
  refuseUnfit(options)
  const place = serviceUnit(options.name, flags)
  const runAs = place.scope === 'system' ? whoRuns(flags) : refuseRunAs(flags)
  const text = unitText({
    name: options.name,
    scope: place.scope,
    command: [...(await ownCommand()), 'node', ...named(args, options.name)],
    folder: process.cwd(),
    runAs,
    reloads: hasConfig
  })
  const steps = installing(place)
  if (flags.dryRun !== true) {
    await refuseForeign(place.file)
    await writeUnit(place.file, text)
    await runSteps(steps)
  }
  process.stdout.write(told(flags, place, text, steps))
}

/** The host's name may be another one after the next start, and its state with it. */
const named = (args: readonly string[], name: string): readonly string[] =>
  args.some(arg => /^--(?:name|config)(?:=|$)/.test(arg)) ? args : ['--name', name, ...args]

/** This Node.js with this file; the flag is of docs/runtime.md. */
const ownCommand = async (): Promise<readonly string[]> => [
  process.execPath,
  '--max-semi-space-size=4',
  await realpath(process.argv[1]!)
]

/** In a unit that is only looked at, where nobody said whom it runs as. */
const UNSAID = 'USER'

const whoRuns = ({ runAs, dryRun }: ServiceFlags): string => {
  const user = runAs ?? (process.env['SUDO_USER'] || (dryRun === true ? UNSAID : undefined))
  if (user === undefined || user === '')
    throw new UserError(
      '--run-as is missing: say whom the device runs as (--run-as root, if you mean root), or make a unit of your own: --user'
    )
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}\$?$/.test(user))
    throw new UserError(`--run-as "${user}" is no name of a user`)
  return user
}

const refuseRunAs = ({ runAs }: ServiceFlags): undefined => {
  if (runAs !== undefined)
    throw new UserError(`--run-as ${runAs}: a unit of your own runs as you; leave it out, or add --system`)
}

const installing = ({ scope, unit }: ServiceUnit): readonly Step[] => {
  const systemctl = scope === 'user' ? ['systemctl', '--user'] : ['systemctl']
  return [
    { command: [...systemctl, 'daemon-reload'] },
    { command: [...systemctl, 'enable', unit] },
    { command: [...systemctl, 'restart', unit] },
    // So that it runs while its user is not logged in; where that is not allowed, it runs while they are.
    ...(scope === 'user' ? [{ command: ['loginctl', 'enable-linger'], mayFail: true }] : [])
  ]
}

const writeUnit = async (file: string, text: string): Promise<void> => {
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text, { mode: 0o644 })
  } catch (error) {
    throw new UserError(
      `${file}: ${describeFileError(error)}; root may write there (sudo), or make a unit of your own: --user`,
      { code: 'unitRefused', facts: { file }, cause: error }
    )
  }
}

const told = (
  flags: ServiceFlags,
  { scope, unit, file }: ServiceUnit,
  text: string,
  steps: readonly Step[]
): string => {
  const commands = steps.map(({ command }) => command.join(' '))
  const dryRun = flags.dryRun === true
  if (flags.json === true) return `${JSON.stringify({ unit, scope, file, text, commands, dryRun })}\n`
  if (dryRun)
    return [
      `would write ${file}:\n\n${text}\nwould run:\n${commands.map(line => `  ${line}\n`).join('')}`,
      ...(text.includes(`User=${UNSAID}\n`) ? [`\nwhom it runs as is to be said: --run-as ${UNSAID}\n`] : [])
    ].join('')
  const log = `journalctl ${scope === 'user' ? '--user ' : ''}-u ${unit} -f`
  return `${unit} is installed and started (${file})\nits log: ${log}\n`
}
