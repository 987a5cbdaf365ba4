import type { Command } from 'commander'
import { stringify } from 'yaml'
import { flagOf } from './parse-config.ts'

/** All flags as YAML that --config takes again; those that are not given and have no default are left out. */
export const printConfig = (command: Command, flags: Readonly<Record<string, unknown>>): string => {
  const said = command.options
    .filter(option => !['config', 'print-config'].includes(flagOf(option)))
    .map(option => [flagOf(option), flags[option.attributeName()] ?? (option.isBoolean() ? false : undefined)] as const)
    .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
  return stringify(Object.fromEntries(said.map(([flag, value]) => [flag, plain(value)])), { lineWidth: 0 })
}

/** A number needs no quotes where it reads the same without them. */
const plain = (value: unknown): unknown => (String(Number(value)) === value ? Number(value) : value)
