import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { describeFileError } from '../core/describe-file-error.ts'
import { UserError } from '../core/user-error.ts'
import { PRIVATE_FILE } from '../runtime/state/privacy.ts'

/** A file that was begun has the number of its datum; one that is done has none. */
const lineSchema = z.tuple([z.string(), z.string(), z.int().min(0).nullable()])

type Line = z.output<typeof lineSchema>

/** So many lines are written before those that say nothing any more are taken out. */
const SLACK = 1000

export interface WatchJournalOptions {
  readonly source: string
  /** Of the state. */
  readonly folder: string
  /** Whether a datum of the process before has its line in the sink. */
  readonly has: (datum: number) => boolean
}

/** Which files of a folder, as they looked then, are under way or done; kept on the disk, while they are there. */
export class WatchJournal {
  readonly #file: string
  /** Names to stamps. */
  readonly #known = new Map<string, string>()
  readonly #done = new Set<string>()
  #lines = 0

  /** What was under way and has no line in the sink is not known: it is done anew. @throws UserError when it cannot be read or written */
  constructor({ source, folder, has }: WatchJournalOptions) {
    this.#file = join(folder, `${encodeURIComponent(source)}.watch.jsonl`)
    try {
      for (const [name, stamp, datum] of load(this.#file)) {
        if (datum !== null && !has(datum)) continue
        this.#known.set(name, stamp)
        this.#done.add(name)
      }
      this.#rewrite()
    } catch (error) {
      throw new UserError(
        `state: ${this.#file}: ${describeFileError(error)}; remove it to do all files of the folder again`
      )
    }
  }

  knows(name: string, stamp: string): boolean {
    return this.#known.get(name) === stamp
  }

  /** It is under way, as this datum. */
  began(name: string, stamp: string, datum: number): void {
    this.#known.set(name, stamp)
    this.#done.delete(name)
    this.#append([name, stamp, datum])
  }

  /** Its outcome is in the sink. */
  settled(name: string, stamp: string): void {
    if (!this.knows(name, stamp)) return // it has changed since
    this.#done.add(name)
    this.#append([name, stamp, null])
  }

  /** Files that are not there any more are forgotten. */
  keep(present: ReadonlySet<string>): void {
    for (const name of this.#done) {
      if (present.has(name)) continue
      this.#known.delete(name)
      this.#done.delete(name)
    }
    if (this.#lines > 2 * this.#known.size + SLACK && this.#known.size === this.#done.size) this.#rewrite()
  }

  #append(line: Line): void {
    this.#lines++
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`)
  }

  /** A crash leaves the old file or the new one. */
  #rewrite(): void {
    const lines = [...this.#known].map(([name, stamp]) => `${JSON.stringify([name, stamp, null])}\n`)
    const draft = `${this.#file}.part`
    writeFileSync(draft, lines.join(''), { mode: PRIVATE_FILE })
    renameSync(draft, this.#file)
    this.#lines = lines.length
  }
}

/** A line that was not written to its end is none. */
const load = (file: string): readonly Line[] => {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  const last = new Map<string, Line>()
  for (const line of whole.split('\n')) {
    if (line === '') continue
    const parsed = lineSchema.parse(JSON.parse(line))
    last.set(parsed[0], parsed)
  }
  return [...last.values()]
}
