import { UserError } from '../core/user-error.ts'
import { loadNodeConfig } from './config/load-node-config.ts'
import type { NodeOptions } from './node/node-options.ts'
import { command } from './node-command.ts'

export interface NodeOfFlags {
  readonly options: NodeOptions
  /** It was given a file that it can read again. */
  readonly hasConfig: boolean
}

// Before anything was asked of it; of each time that it is asked nothing stays.
command.saveStateBeforeParse()

/** The device that these flags of `tributary node` are for. @throws UserError where they are wrong */
export const nodeOfFlags = async (args: readonly string[]): Promise<NodeOfFlags> => {
  command.restoreStateBeforeParse()
  const { operands, unknown } = command.parseOptions([...args])
  const odd = [...operands, ...unknown]
  if (odd.length > 0)
    throw new UserError(`"${odd[0]}" is no flag of tributary node; tributary node --help tells them all`)
  const { options } = await loadNodeConfig(command)
  return { options, hasConfig: command.getOptionValue('config') !== undefined }
}
