import type { ChildProcess } from 'node:child_process'

/**
 * Tells that a process has ended once all that it said has been heard: on a busy machine its end may be noticed before its last
 * message is read.
 */
export const onceEnded = (
  child: ChildProcess,
  told: (code: number | null, signal: NodeJS.Signals | null) => void
): void => {
  child.once('exit', (code, signal) => {
    if (child.connected) child.once('disconnect', () => told(code, signal))
    else told(code, signal)
  })
}
