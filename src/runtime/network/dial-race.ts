import type { Clock } from '../../core/clock.ts'
import { milliseconds, type Seconds } from '../../core/units.ts'

export interface DialRaceOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Whether there is no need any more. */
  readonly done: () => boolean
}

/** RFC 8305, "Happy Eyeballs", 5: each address has so long before the next one is tried beside it. */
const HEAD_START: Seconds = milliseconds(250)
/** Of one race, under way. */
const MAX_AT_ONCE = 8

/**
 * Try addresses in their order, the next one as soon as the one before failed or has had its time, so that one that
 * swallows what is sent there does not hold the others up. The first that succeeds ends the attempts of the others.
 * @param attempt whether it succeeded; does not throw
 */
export const dialRace = async <A>(
  addresses: readonly A[],
  attempt: (address: A, signal: AbortSignal) => Promise<boolean>,
  { clock, signal, done }: DialRaceOptions
): Promise<boolean> => {
  const over = new AbortController()
  const running = new Set<Promise<void>>()
  const given = AbortSignal.any([signal, over.signal])
  let isWon = false
  const isOver = (): boolean => isWon || signal.aborted || done()
  const begin = (address: A): Promise<void> => {
    const one: Promise<void> = attempt(address, given).then(success => {
      isWon ||= success
      running.delete(one)
    })
    running.add(one)
    return one
  }
  try {
    for (const address of addresses) {
      while (running.size >= MAX_AT_ONCE && !isOver()) await Promise.race(running)
      if (isOver()) break
      await within(begin(address), running, clock)
    }
    while (running.size > 0 && !isOver()) await Promise.race(running)
    return isWon || done()
  } finally {
    over.abort(new Error('another address answered'))
  }
}

/** Until the attempt has ended, an earlier one has, or its head start is over. */
const within = async (one: Promise<void>, running: ReadonlySet<Promise<void>>, clock: Clock): Promise<void> => {
  const rested = new AbortController()
  const rest = clock.sleep(HEAD_START, { signal: rested.signal }).catch(() => {})
  await Promise.race([one, ...running, rest])
  rested.abort()
}
