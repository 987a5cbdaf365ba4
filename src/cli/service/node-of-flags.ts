import { UserError } from '../../core/user-error.ts'
import { isInvite } from '../../runtime/network/invite.ts'
import { loadNodeConfig } from '../config/load-node-config.ts'
import type { NodeOptions } from '../node/node-options.ts'
import { command } from '../node-command.ts'

export interface NodeOfFlags {
  readonly options: NodeOptions
  /** It was given a file that it can read again. */
  readonly hasConfig: boolean
}

/** The device that these flags of `tributary node` are for. @throws UserError where they are wrong, or no service can have them */
export const nodeOfFlags = async (args: readonly string[]): Promise<NodeOfFlags> => {
  const { operands, unknown } = command.parseOptions([...args])
  const odd = [...operands, ...unknown]
  if (odd.length > 0)
    throw new UserError(`"${odd[0]}" is no flag of tributary node; tributary node --help tells them all`)
  const { options } = await loadNodeConfig(command)
  refuseUnfit(options)
  return { options, hasConfig: command.getOptionValue('config') !== undefined }
}

/** Nobody sits before a service, and everybody may read its unit. */
const refuseUnfit = ({ join, sources, exitWithParent, controlled }: NodeOptions): void => {
  if (join.includes('-'))
    throw new UserError('--join -: nobody can be asked; write the invite into a file: --join-file')
  if (join.some(isInvite))
    throw new UserError('--join: every user of the machine may read a unit; write the invite into a file: --join-file')
  if (sources.some(source => /^[^=]*=stdin:/.test(source)))
    throw new UserError('--source ...=stdin: a service has no standard input; give it another kind of source')
  if (exitWithParent || controlled)
    throw new UserError(
      `--${controlled ? 'controlled' : 'exit-with-parent'} is for devices with a parent; a service has none: leave it out`
    )
}
