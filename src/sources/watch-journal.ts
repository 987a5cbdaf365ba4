import { appendFileSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
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
  /** For people: one line. */
  readonly say?: (text: string, level?: 'warn') => void
  /** Writes a text at the end of a file; may write a part of it and throw. */
  readonly append?: (file: string, text: string) => void
}

const appendPrivate = (file: string, text: string): void => appendFileSync(file, text, { mode: PRIVATE_FILE })

/** Which files of a folder, as they looked then, are under way or done; kept on the disk, while they are there. */
export class WatchJournal {
  readonly #file: string
  /** Names to stamps. */
  readonly #known = new Map<string, string>()
  readonly #done = new Set<string>()
  readonly #say: (text: string, level?: 'warn') => void
  readonly #appendText: (file: string, text: string) => void
  #lines = 0
  /** Bytes of the file that are whole lines. */
  #length = 0
  #isTorn = false
  /** Not written yet. */
  #owed: string[] = []
  #complaint = ''

  /** What was under way and has no line in the sink is not known: it is done anew. @throws UserError when it cannot be read or written */
  constructor({ source, folder, has, say = () => {}, append = appendPrivate }: WatchJournalOptions) {
    this.#say = say
    this.#appendText = append
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
    if (this.#lines > 2 * this.#known.size + SLACK && this.#known.size === this.#done.size)
      this.#patiently(() => this.#rewrite())
  }

  #append(line: Line): void {
    this.#lines++
    this.#owed.push(`${JSON.stringify(line)}\n`)
    this.#patiently(() => this.#write())
  }

  #write(): void {
    if (this.#isTorn) this.#mend()
    const text = this.#owed.join('')
    try {
      this.#appendText(this.#file, text)
    } catch (error) {
      this.#isTorn = true
      this.#mend()
      throw error
    }
    this.#length += Buffer.byteLength(text)
    this.#owed = []
  }

  /** What was written of lines that were refused is none. */
  #mend(): void {
    truncateSync(this.#file, this.#length)
    this.#isTorn = false
  }

  /** A crash leaves the old file or the new one. */
  #rewrite(): void {
    const lines = [...this.#known].map(([name, stamp]) => `${JSON.stringify([name, stamp, null])}\n`)
    const draft = `${this.#file}.part`
    const text = lines.join('')
    writeFileSync(draft, text, { mode: PRIVATE_FILE })
    renameSync(draft, this.#file)
    this.#lines = lines.length
    this.#length = Buffer.byteLength(text)
    this.#isTorn = false
    this.#owed = []
  }

  /** A disk that refuses stops nothing. */
  #patiently(write: () => void): void {
    try {
      write()
      this.#complaint = ''
    } catch (error) {
      const because = describeFileError(error)
      if (because !== this.#complaint)
        this.#say(`state: ${this.#file}: ${because}; tried again with the next file that comes or is done`, 'warn')
      this.#complaint = because
    }
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
