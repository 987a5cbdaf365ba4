import type { Command } from 'commander'
import { stringify } from 'yaml'
import { hidePassword } from '../../runtime/io/hide-password.ts'
import { isInvite } from '../../runtime/network/invite.ts'
import { besideConfig } from './beside-config.ts'
import { flagOf } from './flag-of.ts'

/**
 * All flags as YAML that --config takes again, wherever it is kept; those that are not given and have no default are left out,
 * and invites, which is said. Passwords and tokens in addresses are hidden, which is said too.
 */
export const printConfig = (command: Command, flags: Readonly<Record<string, unknown>>): string => {
  const said = command.options
    .filter(option => !['config', 'print-config'].includes(flagOf(option)))
    .map(option => [flagOf(option), flags[option.attributeName()] ?? (option.isBoolean() ? false : undefined)] as const)
    .map(([flag, value]) => [flag, flag === 'join' ? withoutInvites(value) : value] as const)
    .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
  const shown = said.map(([flag, value]) => [flag, plain(withoutSecrets(absolute(flag, value)))] as const)
  const isHidden = said.some(([, value]) => JSON.stringify(withoutSecrets(value)) !== JSON.stringify(value))
  const isLeftOut = withoutInvites(flags['join']).length < textsOf(flags['join']).length
  return (isLeftOut ? LEFT_OUT : '') + (isHidden ? HIDDEN : '') + stringify(Object.fromEntries(shown), { lineWidth: 0 })
}

const LEFT_OUT =
  '# An invite is not printed: whoever reads it can join. Write it into a file of your own, and name that with join-file.\n'

const HIDDEN = '# Passwords and tokens in addresses are not printed: write them where *** stands.\n'

/** A user of a broker alone is none: its password is in a file. */
const USER_ALONE = /\bmqtts?:\/\/[^\s/:@]*@(?!\S*@)/i

const withoutSecrets = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutSecrets)
  return typeof value === 'string' && !USER_ALONE.test(value) ? hidePassword(value) : value
}

const textsOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : [])

const withoutInvites = (value: unknown): readonly string[] => textsOf(value).filter(text => !isInvite(text))

/** Paths of the command line are relative to where that is given. */
const absolute = (flag: string, value: unknown): unknown => {
  const beside = besideConfig('here')
  if (Array.isArray(value)) return value.map(text => beside(flag, text))
  return typeof value === 'string' ? beside(flag, value) : value
}

/** A number needs no quotes where it reads the same without them. */
const plain = (value: unknown): unknown =>
  String(Number(value)) === value && Number.isFinite(Number(value)) ? Number(value) : value
