import { isatty } from 'node:tty'

const STDERR = 2

/**
 * Do `work` at SIGHUP; where the terminal of this process is gone, that is what the signal means, and `leave` is done instead.
 * @returns how to end it
 */
export const onHangup = (work: () => void, leave: () => void): Disposable => {
  const wasTerminal = isatty(STDERR)
  const heard = (): void => (wasTerminal && !isatty(STDERR) ? leave() : work())
  process.on('SIGHUP', heard)
  return { [Symbol.dispose]: () => process.off('SIGHUP', heard) }
}
