import type { Command } from 'commander'
import type { NodeFlags } from '../node/node-flags.ts'
import { type NodeOptions, parseNodeOptions } from '../node/node-options.ts'
import { effectiveFlags } from './effective-flags.ts'
import type { FlagOrigin } from './flag-origin.ts'
import type { Config } from './parse-config.ts'

export interface NodeConfig {
  readonly options: NodeOptions
  /** Under commander's names. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly origin: FlagOrigin
  /** @returns all of it as YAML that --config takes */
  readonly print: () => Promise<string>
}

/**
 * What a device is to be: of the command line and of the file that its --config names, as that is now.
 * @throws UserError with a line for each thing that is wrong
 */
export const loadNodeConfig = async (command: Command): Promise<NodeConfig> => {
  const file: string | undefined = command.getOptionValue('config')
  const config = file === undefined ? undefined : await read(file, command)
  const { flags, origin } = effectiveFlags(command, config)
  const options = parseNodeOptions(flags as unknown as NodeFlags, origin)
  const port = options.listen.length > 0 ? {} : { port: options.port }
  const print = async (): Promise<string> => {
    const { printConfig } = await import('./print-config.ts')
    return printConfig(command, { ...flags, name: options.name, ...port })
  }
  return { options, flags, origin, print }
}

/** What reads and writes YAML is loaded where there is some. */
const read = async (file: string, { options }: Command): Promise<Config> => {
  const { readConfig } = await import('./read-config.ts')
  return readConfig(file, options)
}
