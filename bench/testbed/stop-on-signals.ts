const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Aborts at the first signal to end, and takes no further ones: what is being undone must not be left half undone.
 * @param emitter the process
 * @param say told once that it is being undone
 */
export const stopOnSignals = (
  emitter: { on(signal: NodeJS.Signals, stop: () => void): unknown },
  say: () => void
): AbortSignal => {
  const abort = new AbortController()
  for (const signal of SIGNALS)
    emitter.on(signal, () => {
      if (abort.signal.aborted) return
      say()
      abort.abort(new Error(`stopped by ${signal}`))
    })
  return abort.signal
}
