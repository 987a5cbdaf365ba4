import { UserError } from '../../core/user-error.ts'
import type { ClusterStatus } from '../../runtime/device/device-status.ts'

/**
 * @param named by name, by name@device, or with the end of an id; undefined: the only one that there is
 * @throws UserError with those that there are, where it is none of them or one has to be chosen
 */
export const sourceToTrace = async (
  named: string | undefined,
  status: () => Promise<Pick<ClusterStatus, 'sources'>>
): Promise<string> => {
  const { sources } = await status()
  const isMeant = ({ name, device }: { name: string; device: string }): boolean =>
    named === undefined || named === name || named === `${name}@${device}` || named.startsWith(`${name}@${device}#`)
  const meant = sources.filter(isMeant)
  const there = sources.map(({ name, device }) => `${name}@${device}`).join(', ') || 'none'
  if (named !== undefined && meant.length > 0) return named
  if (meant.length === 1) return `${meant[0]!.name}@${meant[0]!.device}`
  if (named !== undefined) throw new UserError(`--source ${named}: there is no such source (there: ${there})`)
  throw new UserError(
    sources.length === 0 ? 'there is no source: nothing to trace' : `name one with --source (there: ${there})`
  )
}
