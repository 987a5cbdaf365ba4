import { closeSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { describeFileError } from '../core/describe-file-error.ts'
import { UserError } from '../core/user-error.ts'
import { PRIVATE_FILE } from '../runtime/state/privacy.ts'

const savedSchema = z.object({ sink: z.string(), open: z.int().min(0), next: z.int().min(0) })

/** The file is written in place: always as long. */
const LENGTH = 64

export interface LiveNumbersOptions {
  readonly source: string
  /** Of the state. */
  readonly folder: string
  /** The name of the sink: numbers of another one say nothing of this. */
  readonly sink: string
  /** Whether a number has a line in the sink: it is not used again, though the file be lost. */
  readonly has: (datum: number) => boolean
}

/**
 * The numbers of data that come once: each is used once, whatever becomes of the process. It is on the disk of a living
 * machine before it is used; one whose power goes may use the last ones again.
 */
export class LiveNumbers {
  readonly #sink: string
  readonly #file: string
  readonly #open = new Set<number>()
  readonly #has: (datum: number) => boolean
  #next: number
  /** Of the process before, without an outcome as far as its file says: which went with it. */
  readonly left: readonly number[]

  /** @throws UserError when the file cannot be read or written */
  constructor({ source, folder, sink, has }: LiveNumbersOptions) {
    this.#has = has
    this.#sink = sink
    this.#file = join(folder, `${encodeURIComponent(source)}.numbers.jsonl`)
    const saved = load(this.#file)
    this.#next = saved?.next ?? 0
    const from = saved?.sink === sink ? saved.open : this.#next
    this.left = Array.from({ length: this.#next - from }, (_, i) => from + i)
    for (const datum of this.left) this.#open.add(datum)
    try {
      const draft = `${this.#file}.part`
      writeFileSync(draft, this.#text(), { mode: PRIVATE_FILE })
      renameSync(draft, this.#file)
    } catch (error) {
      throw new UserError(`state: ${this.#file}: ${describeFileError(error)}; choose a folder that can be written`)
    }
  }

  /** Of the next datum. */
  take(): number {
    while (this.#has(this.#next)) this.#next++
    const datum = this.#next++
    this.#open.add(datum)
    this.#save()
    return datum
  }

  /** Its outcome is in the sink. */
  settled(datum: number): void {
    if (this.#open.delete(datum)) this.#save()
  }

  #save(): void {
    const file = openSync(this.#file, 'r+')
    writeSync(file, this.#text(), 0)
    closeSync(file)
  }

  #text(): string {
    const [first = this.#next] = this.#open // in the order of their numbers
    const numbers = `{"open":${first},"next":${this.#next},"sink":`
    return `${numbers.padEnd(LENGTH)}${JSON.stringify(this.#sink)}}\n`
  }
}

const load = (file: string): z.output<typeof savedSchema> | undefined => {
  try {
    return savedSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new UserError(
      `state: ${file}: ${describeFileError(error)}; remove it where the numbers of an earlier run may be used again`
    )
  }
}
