/** Wraps a one-shot shutdown so that every caller, and `await using`, shares one promise. */
export const stopOnce = (shutDown: () => Promise<void>): AsyncDisposable & { stop(): Promise<void> } => {
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopped ??= shutDown()
    return stopped
  }
  return { stop, [Symbol.asyncDispose]: stop }
}
