import { createRng } from '../core/rng.ts'
import { seconds } from '../core/units.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { damaged } from './damage.ts'

/** Where bytes of others come in. */
export interface Door {
  readonly name: string
  /** Valid. */
  readonly samples: readonly Uint8Array[]
  /** @throws what it refuses with */
  readonly take: (bytes: Uint8Array<ArrayBuffer>) => unknown
  /** Whether it is words for whoever sent the bytes, and no failure of the program. */
  readonly isRefusal: (error: unknown) => boolean
  /** Milliseconds of one case. */
  readonly most?: number
}

export interface FuzzReport {
  readonly cases: number
  readonly taken: number
  readonly refused: number
  readonly megabytes: number
}

/** A case may take so long, on a machine that is busy with something else, too. */
const MOST_MILLISECONDS = 5000
/** All cases of a door together, beyond what is there. */
const MOST_MEGABYTES = 300

/**
 * Damaged samples, so long or so many: each is taken or refused in words, soon, and without memory.
 * @throws Error that says how the case is played again
 */
export const fuzzDoor = async (
  door: Door,
  { seed, cases, time }: { readonly seed: string; readonly cases: number; readonly time: number }
): Promise<FuzzReport> => {
  const before = process.memoryUsage.rss()
  const begun = systemClock.now()
  let [taken, refused] = [0, 0]
  for (let i = 0; i < cases && systemClock.now() - begun < time; i++) {
    const name = `${seed}/${door.name}/${i}`
    const rng = createRng(name)
    const bytes = damaged(door.samples[i % door.samples.length]!, rng)
    const started = systemClock.now()
    try {
      await door.take(bytes)
      taken++
    } catch (error) {
      if (!door.isRefusal(error)) throw new Error(`${again(name, bytes)}: ${(error as Error).stack}`, { cause: error })
      refused++
    }
    const took = 1000 * (systemClock.now() - started)
    if (took > (door.most ?? MOST_MILLISECONDS)) throw new Error(`${again(name, bytes)}: it took ${took.toFixed(0)} ms`)
    // Whatever waits for this thread has its turn.
    if (i % 100 === 99) await systemClock.sleep(seconds(0))
  }
  const megabytes = (process.memoryUsage.rss() - before) / 1e6
  if (megabytes > MOST_MEGABYTES) throw new Error(`${door.name}: ${megabytes.toFixed(0)} MB more than before`)
  return { cases: taken + refused, taken, refused, megabytes: Math.max(0, megabytes) }
}

const again = (name: string, bytes: Uint8Array): string =>
  `case ${name} (FUZZ_SEED=${name.split('/')[0]}), bytes ${Buffer.from(bytes.subarray(0, 2000)).toString('base64')}`
