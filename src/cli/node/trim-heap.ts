import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Clock } from '../../core/clock.ts'
import { type Seconds, seconds } from '../../core/units.ts'

/**
 * Old objects may take so much more than what lives before V8 looks for garbage among them. Tensors count as what was allocated
 * until they are collected: at a quarter of 30 MB, busy devices of a cluster with fifteen results a second went through all that
 * lives once or twice a second, and V8's threads with them. With this much, most go with the young objects.
 */
const GROWING_PERCENT = 150
/** Between two collections at rest: at first, each time twice as long, and at most. */
const FIRST_PAUSE: Seconds = seconds(60)
const LONGEST_PAUSE: Seconds = seconds(3600)

/**
 * Starting up leaves tens of megabytes of garbage that an idle process would keep for long: collect it once, and keep the
 * heap close to what lives from then on.
 */
export const trimHeap = (): void => {
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`)
  collect()
}

/**
 * Room for young objects grows to tens of megabytes while a device starts or works, and V8 keeps it as long as nothing makes it
 * look for garbage. @returns to be called while nothing happens
 */
export const trimAtRest = (clock: Clock): (() => void) => {
  let dueAt = Number.NEGATIVE_INFINITY
  let pause = FIRST_PAUSE
  return () => {
    if (clock.now() < dueAt) return
    dueAt = clock.now() + pause
    pause = seconds(Math.min(LONGEST_PAUSE, 2 * pause))
    collect()
  }
}

/** Twice: V8 gives room for young objects back where it sees that hardly any were allocated since it last looked. */
const collect = (): void => {
  setFlagsFromString('--expose-gc')
  const major = runInNewContext('gc') as (options?: { readonly type: 'major' }) => void
  setFlagsFromString('--no-expose-gc')
  major({ type: 'major' })
  major({ type: 'major' })
}
