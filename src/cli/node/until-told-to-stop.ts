import { milliseconds, type Seconds, seconds } from '../../core/units.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import { endProcess } from './end-process.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'

/** From the first Ctrl-C or SIGTERM to the end of the process, whatever happens. */
const STOPPING: Seconds = seconds(12)

export interface Leave {
  readonly asked: Promise<void>
  /** As Ctrl-C does. */
  readonly ask: () => void
  /** @returns false when it was asked before `begun` was through: there is nothing to finish yet */
  unlessAsked(begun: Promise<void>): Promise<boolean>
  isAsked(): boolean
  /** Asked twice: do not finish what is queued. */
  hurry(): boolean
  forget(): void
}

/** Ctrl-C, SIGTERM, or the end of standard input where a parent process holds it. */
export const untilToldToStop = (options: Pick<NodeOptions, 'exitWithParent'>, log: NodeLog): Leave => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const stopped = new AbortController()
  let times = 0
  let isBegun = false
  const ask = (): void => {
    times++
    if (times > 1) endProcess('SIGINT')
    else {
      log.say(isBegun ? 'stopping: finishing what is queued here (again to stop at once)' : 'stopping before it began')
      void systemClock.sleep(STOPPING, { signal: stopped.signal }).then(
        () => {
          log.say(
            `not stopped after ${STOPPING} s: this process is ended; what is not in the sink is done again at the next start`,
            'error'
          )
          endProcess()
        },
        () => {}
      )
    }
    resolve()
  }
  process.on('SIGINT', ask)
  process.on('SIGTERM', ask)
  const orphaned = (): void => {
    log.say('the parent process is gone')
    resolve()
    void systemClock.sleep(milliseconds(2000)).then(() => endProcess())
  }
  if (options.exitWithParent) process.stdin.once('end', orphaned).once('close', orphaned).resume()
  return {
    asked: promise,
    ask,
    unlessAsked: async begun => {
      begun.catch(() => {}) // what is stopped in its midst may fail
      isBegun = await Promise.race([begun.then(() => true), promise.then(() => false)])
      if (!isBegun) process.exitCode = 130
      return isBegun
    },
    isAsked: () => times > 0,
    hurry: () => times > 1,
    forget: () => {
      stopped.abort()
      process.off('SIGINT', ask)
      process.off('SIGTERM', ask)
      if (options.exitWithParent) process.stdin.off('end', orphaned).off('close', orphaned).pause().unref()
    }
  }
}
