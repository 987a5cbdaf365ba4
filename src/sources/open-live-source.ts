import { PATIENT_TERMS } from '../core/admission-terms.ts'
import { LiveItems } from '../runtime/device/live-items.ts'
import type { SourceRunner, SourceRunnerParts } from '../runtime/device/source-runner.ts'
import type { SourceTerms } from '../runtime/device/source-terms.ts'
import type { LivePort } from '../runtime/io/create-live-port.ts'
import type { LiveItem } from '../runtime/io/live-item.ts'
import type { Sink } from '../runtime/ports/sink.ts'
import type { ItemStream, NumberedItem } from '../runtime/ports/source-data.ts'
import { systemClock } from '../runtime/system-clock.ts'
import type { Feed } from './feed.ts'
import { LiveNumbers } from './live-numbers.ts'

export interface LiveSourceParts {
  /** `name@device`. */
  readonly id: string
  readonly terms: SourceTerms
  /** At most so many items. */
  readonly count: number | undefined
  /** Made when it is to begin. */
  readonly createFeed: () => Feed
  readonly sink: Sink
  /** Names it apart from others. */
  readonly sinkName: string
  /** Where its numbers are kept. */
  readonly folder: string
  /** That reads it; known before anything comes. */
  readonly runner: () => SourceRunner
  /** For people: one line. */
  readonly say: (text: string, level?: 'warn') => void
}

export interface LiveSource extends Pick<SourceRunnerParts, 'openItems' | 'settled' | 'isLive'> {
  /** When nothing settles any more. */
  close(): Promise<void>
}

/** So many lines `stopped` share a sync of the disk. */
const AT_ONCE = 256

/** What a runner needs of a source whose items come by themselves. */
export const openLiveSource = (parts: LiveSourceParts): LiveSource => {
  const { id, terms, count = Number.POSITIVE_INFINITY, createFeed, sink, sinkName, folder, runner, say } = parts
  let feed: Feed | undefined
  let numbers: LiveNumbers | undefined
  return {
    isLive: true,
    close: async () => feed?.close?.(),
    settled: (datum, item) => {
      numbers!.settled(datum)
      if ('content' in item) feed!.settled?.(item as LiveItem)
    },
    openItems: async port => {
      const has = (datum: number): boolean => sink.has(id, datum)
      const bringing = createFeed()
      feed = bringing
      // Which went with the process before: frames are born once.
      const conclude = async (datum: number): Promise<void> => {
        if (has(datum)) open.settled(datum)
        else await runner().drop({ datum, item: { name: `datum ${datum}` } }, 'stopped')
      }
      const open = new LiveNumbers({ source: id, folder, sink: sinkName, has, say })
      numbers = open
      for (let i = 0; i < open.left.length; i += AT_ONCE)
        await Promise.all(open.left.slice(i, i + AT_ONCE).map(conclude))
      const live = new LiveItems({
        ...{ terms: terms.admission ?? PATIENT_TERMS, clock: systemClock, number: () => open.take(), most: count },
        dropped: async (numbered, reason) => {
          if (!(reason === 'stopped' && bringing.comesAgain)) await runner().drop(numbered, reason)
        }
      })
      const todo = new FedItems(live, bringing, port as LivePort)
      return {
        ...{ todo, away: [] },
        get total() {
          return live.taken
        }
      }
    }
  }
}

/** The feed runs when the first item is asked for; what it fails with is thrown to whoever asks. */
class FedItems implements ItemStream {
  readonly #live: LiveItems
  readonly #feed: Feed
  readonly #port: LivePort
  readonly #over = new AbortController()

  constructor(live: LiveItems, feed: Feed, port: LivePort) {
    this.#live = live
    this.#feed = feed
    this.#port = port
  }

  tick(): void {
    this.#live.tick()
  }

  close(): void {
    this.#over.abort()
    this.#live.close()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<NumberedItem> {
    const running = this.#run()
    running.catch(() => {}) // thrown when what came before it is through
    try {
      yield* this.#live
      this.#over.abort()
      await running
    } finally {
      this.close()
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#over
    try {
      await this.#feed.run({ offer: item => this.#live.offer(item), port: this.#port, signal })
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      this.#live.end()
    }
  }
}
