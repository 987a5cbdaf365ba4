import { systemErrorOf } from '../../core/system-error-of.ts'
import { UserError } from '../../core/user-error.ts'
import type { Device } from '../../runtime/device/device.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'

/** Sources may be removed and others come while it is waited for them. */
export interface Reloads {
  /** How many were not refused, once none is under way. */
  settled(): Promise<number>
  /** When the next has ended that was not refused. */
  next(): Promise<void>
}

const NO_RELOADS: Reloads = { settled: async () => 0, next: () => new Promise(() => {}) }

/**
 * Resolves when the device has failed, or all sources are done and that is a reason to stop; rejects when one is wrongly used.
 * @param exitWith is told what the process is to end with, where that is not 0
 */
export const untilEnded = async (
  device: Device,
  options: Pick<NodeOptions, 'exitWhenDone'>,
  log: NodeLog,
  exitWith: (code: number) => void,
  reloads: Reloads = NO_RELOADS
): Promise<void> => {
  const failed = device.failed.then(() => exitWith(1)) // the device has said why
  const finished = async (): Promise<void> => {
    for (;;) {
      await sourcesDone(device, reloads)
      if (tellOutcome(device, options, log, exitWith) === 'over') return
      await reloads.next()
    }
  }
  await Promise.race([failed, finished()])
}

/** When all are done, and no reload was under way meanwhile that brings others. */
const sourcesDone = async (device: Device, reloads: Reloads): Promise<void> => {
  const before = await reloads.settled()
  await device.sourcesDone().catch(error => {
    if (!isToldOf(device) || error instanceof UserError || systemErrorOf(error) !== undefined) throw error
  })
  if ((await reloads.settled()) !== before) await sourcesDone(device, reloads)
}

/** @returns whether that is a reason to stop */
const tellOutcome = (
  device: Device,
  options: Pick<NodeOptions, 'exitWhenDone'>,
  log: NodeLog,
  exitWith: (code: number) => void
): 'over' | 'stays' => {
  const sources = device.ownSources()
  const stopped = sources.filter(({ state }) => state !== 'done' && state !== 'failed')
  if (stopped.length > 0) {
    for (const { name, completed, available } of stopped)
      log.say(`source ${name} stopped with ${completed} of ${available} done; start it again to go on`, 'warn')
    if (options.exitWhenDone) exitWith(130)
    return 'over'
  }
  if (sources.length > 0) {
    const unanswered = sources.filter(hasNoAnswer)
    for (const source of unanswered) log.say(`source ${source.name}: ${describeOutcome(source)}`, 'warn')
    if (options.exitWhenDone && unanswered.length > 0) exitWith(1)
    log.say(`all sources are done${options.exitWhenDone ? '' : '; this device stays as a worker (Ctrl-C stops it)'}`)
    log.event({ event: 'done', sources })
  }
  return options.exitWhenDone ? 'over' : 'stays'
}

/** One of its sources has failed, and that has been said. */
const isToldOf = (device: Device): boolean => device.ownSources().some(({ state }) => state === 'failed')

type SourceStatus = ReturnType<Device['status']>['sources'][number]

/** It has failed, items could not be computed or are left to the next start, or nothing came of any. A folder may hold what is no item. */
const hasNoAnswer = ({ state, failed, noItems, lost, unavailable, completed, available }: SourceStatus): boolean =>
  state === 'failed' || failed > noItems || lost > 0 || unavailable > 0 || (available > 0 && completed === 0)

const describeOutcome = (source: SourceStatus): string => {
  const { state, because, failed, lost, dropped, unavailable, completed, available } = source
  if (state === 'failed') return `failed: ${because}; start it again to go on`
  const without = [
    ...(failed > 0 ? [`${Math.max(failed, lost)} have failed`] : []),
    ...(dropped > 0 ? [`${dropped} were dropped`] : []),
    ...(unavailable > 0 ? [`${unavailable} are left to the next start`] : [])
  ]
  const why = failed + dropped > 0 ? '; the sink says why' : ''
  return `${[`${completed} of ${available} have a result`, ...without].join(', ')}${why}`
}
