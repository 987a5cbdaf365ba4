import { UserError } from '../../core/user-error.ts'
import { isInvite } from '../../runtime/network/invite.ts'
import type { NodeOptions } from '../node/node-options.ts'

/** Nobody sits before a service, and everybody may read its unit. @throws UserError for flags that no service can have */
export const refuseUnfit = ({ join, sources, exitWithParent, controlled }: NodeOptions): void => {
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
