import { rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { describeFileError } from '../../core/describe-file-error.ts'
import { NoAnswerError, UserError } from '../../core/user-error.ts'
import { refuseForeign } from './refuse-foreign.ts'
import { runSteps } from './run-steps.ts'
import type { ServiceFlags } from './service-flags.ts'
import { serviceUnit } from './service-unit.ts'

/** Stop a device and remove its unit. @throws NoAnswerError where there is none; UserError where it is not ours, or may not be removed */
export const uninstallService = async (flags: ServiceFlags): Promise<void> => {
  const { unit, file, scope } = serviceUnit(flags.name ?? hostname(), flags)
  const systemctl = scope === 'user' ? ['systemctl', '--user'] : ['systemctl']
  const stop = { command: [...systemctl, 'disable', '--now', unit] }
  const forget = { command: [...systemctl, 'daemon-reload'] }
  const commands = [stop, forget].map(({ command }) => command.join(' '))
  const dryRun = flags.dryRun === true
  if (!dryRun) {
    if (!(await refuseForeign(file))) throw new NoAnswerError(`${unit} is not installed: there is no ${file}`)
    await runSteps([stop])
    await remove(file)
    await runSteps([forget])
  }
  const text = dryRun
    ? `would run: ${commands[0]}\nwould remove: ${file}\nwould run: ${commands[1]}`
    : `${unit} is stopped and removed; the state folder of the device stays`
  process.stdout.write(`${flags.json === true ? JSON.stringify({ unit, scope, file, commands, dryRun }) : text}\n`)
}

const remove = async (file: string): Promise<void> => {
  await rm(file).catch(error => {
    throw new UserError(`${file}: ${describeFileError(error)}`, { code: 'unitRefused', facts: { file }, cause: error })
  })
}
