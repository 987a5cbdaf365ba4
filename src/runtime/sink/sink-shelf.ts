import type { Clock } from '../../core/clock.ts'
import { UserError } from '../../core/user-error.ts'
import type { Sink } from '../ports/sink.ts'
import { type Branch, fanOutSink } from './fan-out-sink.ts'
import { identityOf, openBranch } from './open-branch.ts'
import { refuseOddSinks } from './refuse-odd-sinks.ts'
import { type SinkSpec, shownTarget } from './sink-spec.ts'

export interface SinkShelfParts {
  readonly stateFolder: string
  /** As `openSink`; asked whenever it matters. */
  readonly isLive?: (source: string) => boolean
  readonly clock: Clock
  readonly say: (text: string, level?: 'warn') => void
}

/** Other sinks than before are open; those that are to go still are, too. */
export interface SinkChange {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** Those that are wanted no more are closed. */
  commit(): Promise<void>
  /** Those that were added are closed, and it is as before. */
  undo(): Promise<void>
}

interface Opened extends Branch {
  readonly spec: SinkSpec
}

/** The sinks of a device. Each is open once, whichever sources write to it; they come and go while it runs. */
export class SinkShelf {
  readonly #parts: SinkShelfParts
  readonly #open = new Map<string, Opened>()
  #specs: readonly SinkSpec[] = []

  constructor(parts: SinkShelfParts) {
    this.#parts = parts
  }

  /**
   * Open those that are not open.
   * @param sources names of those that there will be
   * @throws UserError when one cannot be written, or names a source that is none; none more is open then
   */
  async change(specs: readonly SinkSpec[], sources: readonly string[]): Promise<SinkChange> {
    refuseOddSinks(specs, sources)
    for (const spec of specs) this.#refuseOther(spec)
    const before = this.#specs
    const missing = specs.filter(spec => !this.#open.has(identityOf([spec])))
    try {
      for (const spec of missing) this.#open.set(identityOf([spec]), { spec, ...(await openBranch(spec, this.#parts)) })
    } catch (error) {
      await this.#close(missing).catch(() => {}) // what went wrong first is what is told
      throw error
    }
    const wanted = new Set(specs.map(spec => identityOf([spec])))
    const gone = before.filter(spec => !wanted.has(identityOf([spec])))
    this.#specs = specs
    return {
      added: missing.map(({ text }) => shownTarget(text)),
      removed: gone.map(({ text }) => shownTarget(text)),
      commit: () => this.#close(gone),
      undo: () => {
        this.#specs = before
        return this.#close(missing)
      }
    }
  }

  /** Those that a source writes to now. */
  specsOf(source: string): readonly SinkSpec[] {
    return this.#specs.filter(({ sources }) => sources === undefined || sources.includes(source))
  }

  /** These as one, which is not to be stopped: others may write to them. */
  sinkOf(source: string): Sink {
    const branches = this.specsOf(source).map(spec => this.#open.get(identityOf([spec]))!)
    return branches.length === 1 ? branches[0]!.sink : fanOutSink(branches)
  }

  stop(): Promise<void> {
    return this.#close([...this.#open.values()].map(({ spec }) => spec))
  }

  /** An open one goes on as it was opened. */
  #refuseOther(spec: SinkSpec): void {
    const before = this.#open.get(identityOf([spec]))?.spec
    if (before !== undefined && settingsOf(before) !== settingsOf(spec))
      throw new UserError(
        `sink ${shownTarget(spec.text)}: is open with other options; but for its sources they change with a restart only`
      )
  }

  async #close(specs: readonly SinkSpec[]): Promise<void> {
    const opened = specs.flatMap(spec => this.#open.get(identityOf([spec])) ?? [])
    for (const spec of specs) this.#open.delete(identityOf([spec]))
    const stopped = await Promise.allSettled(opened.map(({ sink }) => sink.stop()))
    const failed = stopped.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }
}

const settingsOf = ({ text: _, sources: __, ...settings }: SinkSpec): string => JSON.stringify(settings)
