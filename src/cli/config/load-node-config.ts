import type { Command } from 'commander'
import type { NodeFlags } from '../node/node-flags.ts'
import { type NodeOptions, parseNodeOptions } from '../node/node-options.ts'
import { effectiveFlags } from './effective-flags.ts'
import type { FlagOrigin } from './flag-origin.ts'
import { printConfig } from './print-config.ts'
import { readConfig } from './read-config.ts'

export interface NodeConfig {
  readonly options: NodeOptions
  /** Under commander's names. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly origin: FlagOrigin
  /** All of it as YAML that --config takes. */
  readonly printed: string
}

/**
 * What a device is to be: of the command line and of the file that its --config names, as that is now.
 * @throws UserError with a line for each thing that is wrong
 */
export const loadNodeConfig = async (command: Command): Promise<NodeConfig> => {
  const file: string | undefined = command.getOptionValue('config')
  const config = file === undefined ? undefined : await readConfig(file, command.options)
  const { flags, origin } = effectiveFlags(command, config)
  const options = parseNodeOptions(flags as unknown as NodeFlags, origin)
  const port = options.listen.length > 0 ? {} : { port: options.port }
  return { options, flags, origin, printed: printConfig(command, { ...flags, name: options.name, ...port }) }
}
