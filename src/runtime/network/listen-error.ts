import { UserError } from '../../core/user-error.ts'

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use; choose another, or port 0 for any',
  EADDRNOTAVAIL: 'this machine has no such address; choose another',
  EACCES: 'this user may not listen on that port; choose one above 1023'
}

/**
 * What went wrong when somebody began to listen, in words for the user where he can mend it; anything else as it is.
 * @param isDoor it listens for other programs, not for other devices
 */
export const listenError = (error: unknown, listen: readonly string[], isDoor = false): unknown => {
  const message = error instanceof Error ? error.message : String(error)
  const code = /\b(EADDRINUSE|EADDRNOTAVAIL|EACCES)\b/.exec(message)?.[1]
  if (code === undefined) return error
  const where = /\b(?:EADDRINUSE|EADDRNOTAVAIL|EACCES)\b.*?(\S+:\d+)\s*$/m.exec(message)?.[1] ?? listen.join(', ')
  return new UserError(`cannot listen on ${where}: ${REASONS[code]}`, {
    code: code === 'EADDRINUSE' ? 'portInUse' : 'cannotListen',
    facts: { address: where, reason: code, isDoor },
    cause: error
  })
}
