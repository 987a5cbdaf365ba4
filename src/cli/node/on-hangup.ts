import { isatty } from 'node:tty'
import { endProcess } from './end-process.ts'

const STDERR = 2

export interface Hangup extends Disposable {
  /**
   * Do `work` at SIGHUP, and now where that came before; where the terminal of this process is gone, that is what the signal
   * means, and `leave` is done instead.
   */
  obey(work: () => void, leave: () => void): void
}

/** From now on SIGHUP does not end the process. Disposed of, it does. */
export const onHangup = (): Hangup => {
  const wasTerminal = isatty(STDERR)
  let hasCome = false
  let work = (): void => {
    hasCome = true
  }
  let leave = (): void => endProcess('SIGHUP')
  const heard = (): void => (wasTerminal && !isatty(STDERR) ? leave() : work())
  process.on('SIGHUP', heard)
  return {
    obey: (worked, left) => {
      work = worked
      leave = left
      if (hasCome) work()
    },
    [Symbol.dispose]: () => process.off('SIGHUP', heard)
  }
}
