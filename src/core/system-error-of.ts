/** What Node says with an error of the operating system. */
export interface SystemError extends Error {
  readonly code: string
  readonly syscall: string
  readonly path?: string
  /** What this program knows of it beside what the system says. */
  readonly because?: string
}

const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error && typeof Reflect.get(error, 'syscall') === 'string' && /^E[A-Z0-9]+$/.test(codeOf(error))

const codeOf = (error: Error): string => String(Reflect.get(error, 'code') ?? '')

/**
 * The operating system's refusal behind an error: the error itself, or what caused it, or what was thrown first where
 * closing something failed too. Undefined where there is none: then it is the program's.
 */
export const systemErrorOf = (error: unknown): SystemError | undefined => {
  for (let e = error, depth = 0; e instanceof Error && depth < 8; e = Reflect.get(e, 'suppressed') ?? e.cause, depth++)
    if (isSystemError(e)) return e
  return undefined
}
