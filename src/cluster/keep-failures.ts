import { describeFileError } from '../core/describe-file-error.ts'
import type { ModelId } from '../core/ids.ts'
import { systemErrorOf } from '../core/system-error-of.ts'
import { type Seconds, seconds } from '../core/units.ts'

export interface KeptBlock {
  readonly model: ModelId
  readonly name: string
  readonly block: number
}

interface Failure extends KeptBlock {
  readonly because: string
  readonly times: number
  /** This device's own: another one may keep the block. */
  readonly isOwn: boolean
  /** Of the system's refusal. */
  readonly code: string | undefined
}

/** After a failure; twice as long each time when it is a trouble. */
const FIRST_PAUSE: Seconds = seconds(1)
const LONGEST_PAUSE: Seconds = seconds(10)
/** Who has a block may be about to come: so often it is no trouble yet that nobody gives it. */
const PATIENT = 3
/** So many failures of its own in a row, and the device takes no more blocks for a while, twice as long each time. */
const MOST = 3
const FIRST_REST: Seconds = seconds(60)
const LONGEST_REST: Seconds = seconds(600)

/** Blocks that a device was to carry and could not fetch, keep or load, and what follows from it. */
export class KeepFailures {
  readonly #failures = new Map<string, Failure>()
  #fullUntil: Seconds = seconds(Number.NEGATIVE_INFINITY)
  #fullSince = ''
  #rest: Seconds = FIRST_REST

  /** @param kind 'notGiven': others did not give it, unless the disk refused it @returns what to say, where that is another cause than before and no trouble yet */
  failed(of: KeptBlock, error: unknown, kind: 'notGiven' | 'notLoaded', now: Seconds): string | undefined {
    const refusal = systemErrorOf(error)
    const message = error instanceof Error ? error.message : String(error)
    const key = keyOf(of)
    const before = this.#failures.get(key)
    // While the system refuses the same, the words stay: what is free there changes all the time, and a trouble is said once.
    const isSame = refusal !== undefined && before?.code === refusal.code
    const because = isSame ? before.because : refusal === undefined ? message : describeFileError(refusal)
    const isOwn = refusal !== undefined || kind === 'notLoaded'
    const times = before?.isOwn === isOwn ? before.times + 1 : 1
    this.#failures.set(key, { ...of, because, times, isOwn, code: refusal?.code })
    if (isOwn && times >= MOST && now >= this.#fullUntil) {
      this.#fullUntil = seconds(now + this.#rest)
      this.#fullSince = wordsOf({ ...of, because })
      this.#rest = seconds(Math.min(LONGEST_REST, 2 * this.#rest))
    }
    return isOwn || before?.because === because ? undefined : `${wordsOf({ ...of, because })}; tried again`
  }

  /** It is loaded: there is room again. */
  succeeded(of: KeptBlock): void {
    this.#failures.delete(keyOf(of))
    this.#fullUntil = seconds(Number.NEGATIVE_INFINITY)
    this.#rest = FIRST_REST
  }

  /** What is to be carried no longer is forgotten. */
  retain(wanted: readonly KeptBlock[]): void {
    const keys = new Set(wanted.map(keyOf))
    for (const key of this.#failures.keys()) if (!keys.has(key)) this.#failures.delete(key)
  }

  /** Until the next try of those that failed. */
  pause(): Seconds {
    const fewest = Math.min(...[...this.#failures.values()].map(({ times }) => times), 10)
    return seconds(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.max(0, fewest - PATIENT)))
  }

  /** Why a block is not here; undefined where it did not fail. */
  because(model: ModelId, block: number): string | undefined {
    return this.#failures.get(`${model} ${block}`)?.because
  }

  /** In words, those that have lasted. */
  troubles(now: Seconds): string[] {
    const lasting = [...this.#failures.values()].filter(({ isOwn, times }) => isOwn || times >= PATIENT).map(wordsOf)
    return this.isFull(now) ? [...lasting, `no more blocks are placed here for a while: ${this.#fullSince}`] : lasting
  }

  /** Whether others had better carry what is not here yet. */
  isFull(now: Seconds): boolean {
    return now < this.#fullUntil
  }
}

const keyOf = ({ model, block }: Pick<KeptBlock, 'model' | 'block'>): string => `${model} ${block}`

const wordsOf = ({ name, block, because }: Pick<Failure, 'name' | 'block' | 'because'>): string =>
  `cannot get and keep block ${block} of ${name}: ${because}`
