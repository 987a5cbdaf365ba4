import type { Command } from 'commander'
import { flagOf } from './flag-of.ts'
import { COMMAND_LINE, type FlagOrigin } from './flag-origin.ts'
import type { Config } from './parse-config.ts'

export interface EffectiveFlags {
  /** Under commander's names. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly origin: FlagOrigin
}

/** All flags as they count: the command line before the config file, that before the defaults. */
export const effectiveFlags = (command: Command, config: Config | undefined): EffectiveFlags => {
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli'
  const given = command.options.filter(option => isGiven(option.attributeName())).map(flagOf)
  const flags = command.options.map(option => {
    const name = option.attributeName()
    return [name, (isGiven(name) ? undefined : config?.values.get(name)) ?? command.getOptionValue(name)] as const
  })
  const place: FlagOrigin['place'] = (flag, text) => (given.includes(flag) ? undefined : config?.place(flag, text))
  return { flags: Object.fromEntries(flags), origin: config === undefined ? COMMAND_LINE : { place } }
}
