import { closeSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { describeFileError } from '../core/describe-file-error.ts'
import { UserError } from '../core/user-error.ts'
import { PRIVATE_FILE } from '../runtime/state/privacy.ts'

/** From `open` up to `next`, in turn: so many are open, so many settled ... What is not said is open. */
const savedSchema = z.object({
  ...{ sink: z.string(), open: z.int().min(0), next: z.int().min(0) },
  runs: z.array(z.int().min(0)).default([])
})

type Saved = z.output<typeof savedSchema>

/** Bytes: the file is written in place, always as long, so that it is never torn and a full disk has room for it. */
const LENGTH = 4096

export interface LiveNumbersOptions {
  readonly source: string
  /** Of the state. */
  readonly folder: string
  /** The name of the sink: numbers of another one say nothing of this. */
  readonly sink: string
  /** Whether a number has a line in the sink: it is not used again, though the file be lost. */
  readonly has: (datum: number) => boolean
  /** For people: one line. */
  readonly say?: (text: string, level?: 'warn') => void
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
  readonly #say: (text: string, level?: 'warn') => void
  #complaint = ''
  #next: number
  /** Of the process before, without an outcome: which went with it. */
  readonly left: readonly number[]

  /** @throws UserError when the file cannot be read or written */
  constructor({ source, folder, sink, has, say = () => {} }: LiveNumbersOptions) {
    this.#say = say
    this.#has = has
    this.#sink = sink
    this.#file = join(folder, `${encodeURIComponent(source)}.numbers.jsonl`)
    const saved = load(this.#file)
    this.#next = saved?.next ?? 0
    this.left = saved?.sink === sink ? openOf(saved) : []
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

  /** A disk that refuses stops nothing: the next number is tried again. */
  #save(): void {
    try {
      this.#write()
      this.#complaint = ''
    } catch (error) {
      const because = describeFileError(error)
      if (because !== this.#complaint)
        this.#say(`state: ${this.#file}: ${because}; tried again, a number may be used twice after a kill`, 'warn')
      this.#complaint = because
    }
  }

  #write(): void {
    const file = openSync(this.#file, 'r+')
    try {
      writeSync(file, this.#text(), 0)
    } finally {
      closeSync(file)
    }
  }

  #text(): string {
    const [open = this.#next] = this.#open // in the order of their numbers
    const numbers = { open, next: this.#next, sink: this.#sink, runs: [] as readonly number[] }
    const room = LENGTH - Buffer.byteLength(JSON.stringify(numbers)) - 1
    const text = JSON.stringify({ ...numbers, runs: fitting(runsOf(this.#open, this.#next), room) })
    return `${text}${' '.repeat(Math.max(0, LENGTH - 1 - Buffer.byteLength(text)))}\n`
  }
}

/** @param open ascending */
const runsOf = (open: Iterable<number>, next: number): readonly number[] => {
  const runs: number[] = []
  let end: number | undefined
  for (const datum of open) {
    if (datum === end) runs[runs.length - 1]!++
    else if (end === undefined) runs.push(1)
    else runs.push(datum - end, 1)
    end = datum + 1
  }
  if (end !== undefined && end < next) runs.push(next - end)
  return runs
}

/** As many as have room, in bytes. */
const fitting = (runs: readonly number[], room: number): readonly number[] => {
  let left = room
  const over = runs.findIndex(run => {
    left -= String(run).length + 1
    return left < 0
  })
  return over === -1 ? runs : runs.slice(0, over)
}

const openOf = ({ open, next, runs }: Saved): readonly number[] => {
  const numbers: number[] = []
  let datum = open
  const until = (end: number, isOpen: boolean): void => {
    for (; datum < Math.min(end, next); datum++) if (isOpen) numbers.push(datum)
  }
  for (const [i, run] of runs.entries()) until(datum + run, i % 2 === 0)
  until(next, true)
  return numbers
}

const load = (file: string): Saved | undefined => {
  try {
    return savedSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new UserError(
      `state: ${file}: ${describeFileError(error)}; remove it where the numbers of an earlier run may be used again`
    )
  }
}
