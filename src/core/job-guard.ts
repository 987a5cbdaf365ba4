import type { Clock } from './clock.ts'
import { every } from './every.ts'
import { InvariantError } from './invariant-error.ts'
import { type Seconds, seconds } from './units.ts'

export interface JobGuardParts {
  readonly clock: Clock
  /** For people: one line. */
  readonly say: (text: string, level?: 'warn') => void
}

/** A job that has failed at some time. */
export interface JobFailure {
  readonly job: string
  /** How often so far, whatever the cause. */
  readonly times: number
  /** Of the last time. */
  readonly because: string
  /** It failed when it was last tried. */
  readonly lasts: boolean
}

interface Failure {
  times: number
  because: string
  lasts: boolean
  /** When each cause was last told. */
  readonly told: Map<string, Seconds>
  toldAt: Seconds
  /** Before another cause is told: each time twice as long, for causes that are new each time. */
  pause: Seconds
}

/** A cause that lasts is told again after so long. */
const TELL_AGAIN: Seconds = seconds(300)
const FIRST_PAUSE: Seconds = seconds(1)
/** Causes of one job that are remembered. */
const MOST_CAUSES = 16
/** Jobs that are remembered. */
const MOST_JOBS = 500
/** Characters of a cause. */
const MOST_WORDS = 500

/**
 * Runs jobs, each by itself: what one throws is told once for each cause, counted, and the others go on. Only an
 * `InvariantError` is not survived: it is handed to whoever ends things.
 */
export class JobGuard {
  readonly #parts: JobGuardParts
  readonly #failures = new Map<string, Failure>()
  #fatal: InvariantError | undefined
  #onFatal: ((error: InvariantError) => void) | undefined

  constructor(parts: JobGuardParts) {
    this.#parts = parts
  }

  /** Told once, of the first, also when that was before. */
  onFatal(tell: (error: InvariantError) => void): void {
    this.#onFatal = tell
    if (this.#fatal !== undefined) tell(this.#fatal)
  }

  /** @returns what the job returns; undefined where it throws */
  run<T>(job: string, work: () => T): T | undefined {
    try {
      const result = work()
      this.succeeded(job)
      return result
    } catch (error) {
      this.failed(job, error)
      return undefined
    }
  }

  /** The same for what goes on by itself. Never rejects. @returns undefined where it does */
  async watch<T>(job: string, work: Promise<T>): Promise<T | undefined> {
    try {
      const result = await work
      this.succeeded(job)
      return result
    } catch (error) {
      this.failed(job, error)
      return undefined
    }
  }

  /** Do a job again and again, as `every` does, whatever it throws. Resolves when `signal` aborts. */
  async every(
    job: string,
    interval: () => Seconds,
    work: (signal: AbortSignal) => Promise<void> | void,
    { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal }
  ): Promise<void> {
    try {
      await every(interval, of => this.watch(job, (async () => work(of))()), { clock, signal })
    } catch (error) {
      if (signal.aborted) return
      this.failed(job, new InvariantError(`${job} has ended: ${error instanceof Error ? error.message : error}`))
    }
  }

  /** A job that was run elsewhere has thrown. */
  failed(job: string, error: unknown): void {
    if (error instanceof InvariantError) this.#end(error)
    const failure = this.#failureOf(job)
    failure.times++
    failure.lasts = true
    failure.because = describeCause(error)
    this.#tell(job, failure)
  }

  /** In the order in which they failed first. */
  failures(): readonly JobFailure[] {
    return [...this.#failures].map(([job, { times, because, lasts }]) => ({ job, times, because, lasts }))
  }

  /** Those that fail at present, in words. */
  troubles(): readonly string[] {
    return this.failures().flatMap(({ job, times, because, lasts }) =>
      lasts ? [`${job} fails (${times === 1 ? 'once' : `${times} times`}): ${because}`] : []
    )
  }

  /** A job that was run elsewhere has not. */
  succeeded(job: string): void {
    const failure = this.#failures.get(job)
    if (failure !== undefined) failure.lasts = false
  }

  #failureOf(job: string): Failure {
    const known = this.#failures.get(job)
    if (known !== undefined) return known
    const never = seconds(Number.NEGATIVE_INFINITY)
    const first = { times: 0, because: '', lasts: false, told: new Map(), toldAt: never, pause: FIRST_PAUSE }
    this.#failures.set(job, first)
    if (this.#failures.size > MOST_JOBS) this.#failures.delete([...this.#failures.keys()][0]!)
    return first
  }

  #tell(job: string, failure: Failure): void {
    const { because, told } = failure
    const now = this.#parts.clock.now()
    if (now - failure.toldAt > TELL_AGAIN) failure.pause = FIRST_PAUSE
    const last = told.get(because) ?? Number.NEGATIVE_INFINITY
    if (now - last < TELL_AGAIN || now - failure.toldAt < failure.pause) return
    if (failure.toldAt > Number.NEGATIVE_INFINITY) failure.pause = seconds(Math.min(TELL_AGAIN, 2 * failure.pause))
    failure.toldAt = now
    told.delete(because)
    told.set(because, now)
    if (told.size > MOST_CAUSES) told.delete([...told.keys()][0]!)
    this.#say(`${job} fails: ${because}; the rest goes on`)
  }

  #say(text: string): void {
    try {
      this.#parts.say(text, 'warn')
    } catch {
      // where nothing can be said the count is all there is
    }
  }

  #end(error: InvariantError): void {
    if (this.#fatal !== undefined) return
    this.#fatal = error
    this.#onFatal?.(error)
  }
}

/** One line: what, and where in the program. */
const describeCause = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error).slice(0, MOST_WORDS)
  const place = /\n\s+at (?:.*\()?(?:file:\/\/)?([^\n()]+:\d+):\d+\)?/.exec(error.stack ?? '')?.[1]
  const file = place?.split('/').slice(-2).join('/')
  const words = error.message.replaceAll(/\s*\n\s*/g, ' ').slice(0, MOST_WORDS)
  return `${words || error.name}${file === undefined ? '' : ` (${file})`}`
}
