import { homedir } from 'node:os'
import { join } from 'node:path'
import { UserError } from '../../core/user-error.ts'
import type { ServiceFlags } from './service-flags.ts'

/** Where the unit of a device is, and whose it is. */
export interface ServiceUnit {
  readonly scope: 'system' | 'user'
  /** "tributary-porch.service" */
  readonly unit: string
  readonly file: string
}

export interface Asker {
  /** undefined where a system has no such numbers. */
  readonly uid: number | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/** @throws UserError where both kinds are asked for */
export const serviceUnit = (
  name: string,
  { system, user }: ServiceFlags,
  asker: Asker = { uid: process.getuid?.(), env: process.env }
): ServiceUnit => {
  if (system === true && user === true) throw new UserError('--system and --user are both given; keep one')
  const scope = system === true || (user !== true && asker.uid === 0) ? 'system' : 'user'
  const unit = `tributary-${escaped(name)}.service`
  const folder =
    scope === 'system'
      ? '/etc/systemd/system'
      : join(asker.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'systemd/user')
  return { scope, unit, file: join(folder, unit) }
}

/** As systemd-escape writes what a unit's name may not hold: bytes as \xHH. Dashes stay, they separate nothing here. */
const escaped = (name: string): string =>
  [...Buffer.from(name, 'utf8')]
    .map(byte => {
      const letter = String.fromCharCode(byte)
      return /[A-Za-z0-9:_.-]/.test(letter) ? letter : `\\x${byte.toString(16).padStart(2, '0')}`
    })
    .join('')
