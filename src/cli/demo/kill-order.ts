import { parseTime } from '../../core/parse-quantity.ts'
import type { Seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { DEMO_DEVICES, type DemoDevice } from './demo-cluster.ts'

/** Which worker dies without warning (kill -9), and how long after the sources begin. */
export interface KillOrder {
  readonly device: string
  readonly after: Seconds
}

/** "attic@2" or "attic@2s". @throws UserError that names the workers */
export const parseKillOrder = (text: string, devices: readonly DemoDevice[] = DEMO_DEVICES): KillOrder => {
  const workers = devices.filter(device => !device.source).map(device => device.name)
  const example = `write for example --kill ${workers[0]}@2`
  const [, name, time] = /^([^@]+)@(.+)$/.exec(text.trim()) ?? []
  if (name === undefined || time === undefined)
    throw new UserError(`--kill "${text}" is not DEVICE@SECONDS; ${example}`)
  const device = devices.find(candidate => candidate.name === name)
  if (device === undefined) {
    throw new UserError(
      `--kill "${text}": there is no device ${name}; workers are ${workers.join(' and ')}; ${example}`
    )
  }
  if (device.source) {
    throw new UserError(
      `--kill "${text}": ${name} is a source, and its images would wait for its return; ` +
        `the demo kills workers only: ${workers.join(' or ')}; ${example}`
    )
  }
  try {
    return { device: name, after: parseTime(/[a-z]$/i.test(time) ? time : `${time}s`) }
  } catch {
    throw new UserError(`--kill "${text}": "${time}" is not a time in seconds; ${example}`)
  }
}
