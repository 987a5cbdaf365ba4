/**
 * End this process now, whatever its threads do. `process.exit` waits for threads, and one that runs a block which never ends
 * cannot be ended by anything else than a signal that nobody handles.
 */
export const endProcess = (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' = 'SIGTERM'): void => {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}
