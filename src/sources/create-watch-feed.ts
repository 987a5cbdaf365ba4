import type { Clock } from '../core/clock.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { FileItem } from '../runtime/io/file-item.ts'
import type { FolderPort } from '../runtime/io/folder-port.ts'
import type { LiveItem } from '../runtime/io/live-item.ts'
import { ItemUnavailable } from '../runtime/ports/item-unavailable.ts'
import type { Feed, FeedParts } from './feed.ts'
import type { WatchJournal } from './watch-journal.ts'

export interface WatchFeedParts {
  readonly folder: string
  /** A file that does not change for so long is whole. */
  readonly settle: Seconds
  readonly journal: WatchJournal
  readonly clock: Clock
  readonly say: (text: string, level?: 'warn') => void
}

/** Between two looks; where one takes long, so many times as long as it took. */
const LOOK: Seconds = seconds(0.5)
const PAUSES_PER_LOOK = 5
/** Of a folder: each name is kept while its file is there. */
const MOST_FILES = 200_000

interface Seen {
  readonly stamp: string
  readonly since: Seconds
}

/** A file of the folder, as it was when it was whole. */
interface WatchItem extends LiveItem {
  readonly stamp: string
}

/**
 * The files of a folder that grows, each when it is whole. One that is written anew, or another that is renamed to its name, is a
 * new item. The folder may vanish and come back; files that are deleted are forgotten.
 */
export const createWatchFeed = (parts: WatchFeedParts): Feed => {
  const { journal } = parts
  return {
    comesAgain: true,
    run: async feed => {
      const folder = new Watched(parts, feed)
      await folder.run()
    },
    settled: item => journal.settled(item.name, (item as WatchItem).stamp)
  }
}

class Watched {
  readonly #parts: WatchFeedParts
  readonly #feed: FeedParts
  /** Not whole yet. */
  #seen = new Map<string, Seen>()
  #away = ''
  #hasSaidFull = false

  constructor(parts: WatchFeedParts, feed: FeedParts) {
    this.#parts = parts
    this.#feed = feed
  }

  async run(): Promise<void> {
    const { clock } = this.#parts
    const { signal, port } = this.#feed
    while (!signal.aborted) {
      const begun = clock.now()
      if (!(await this.#look(port.files))) return
      const took = clock.now() - begun
      await clock.sleep(seconds(Math.max(LOOK, PAUSES_PER_LOOK * took)), { signal }).catch(() => {})
    }
  }

  /** @returns false when no more items are taken */
  async #look(port: FolderPort): Promise<boolean> {
    const items = await this.#list(port)
    if (items === undefined) return true
    const { journal } = this.#parts
    const seen = new Map<string, Seen>()
    for (const item of items.slice(0, MOST_FILES)) {
      const stamp = await stampOf(item, port)
      if (stamp === undefined || journal.knows(item.name, stamp)) continue
      const now = this.#parts.clock.now()
      const before = this.#seen.get(item.name)
      const since = before?.stamp === stamp ? before.since : now
      if (now - since < this.#parts.settle) seen.set(item.name, { stamp, since })
      else if (!(await this.#offer(item, stamp))) return false
    }
    this.#seen = seen
    journal.keep(new Set(items.map(({ name }) => name)))
    return true
  }

  async #offer({ name, path }: FileItem, stamp: string): Promise<boolean> {
    const item: WatchItem = { name, stamp, content: { kind: 'file', path } }
    const datum = await this.#feed.offer(item)
    if (datum !== undefined) this.#parts.journal.began(name, stamp, datum)
    return datum !== undefined
  }

  /** @returns undefined while it is away */
  async #list(port: FolderPort): Promise<readonly FileItem[] | undefined> {
    const { folder, say } = this.#parts
    try {
      const items = await port.list(folder, undefined, `watch:${folder}`)
      if (this.#away !== '') say(`watch:${folder} is there again`)
      this.#away = ''
      if (items.length > MOST_FILES && !this.#hasSaidFull) {
        this.#hasSaidFull = true
        say(
          `watch:${folder} has ${items.length} files, and ${MOST_FILES} are looked at; move away those that are done`,
          'warn'
        )
      }
      return items
    } catch (error) {
      if (!(error instanceof ItemUnavailable)) throw error
      if (error.message !== this.#away) say(`${error.message}; looked for again`)
      this.#away = error.message
      return undefined
    }
  }
}

/** @returns undefined while it is away, or in parts */
const stampOf = async (item: FileItem, port: FolderPort): Promise<string | undefined> => {
  try {
    return (await port.stamp(item)).id
  } catch (error) {
    if (error instanceof ItemUnavailable) return undefined
    throw error
  }
}
