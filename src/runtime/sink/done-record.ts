import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { describeFileError } from '../../core/describe-file-error.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import type { Recorded } from '../ports/sink.ts'
import { readLines } from './read-lines.ts'
import { type OpenSinkFile, openSinkFile, type SinkFile } from './sink-file.ts'

/**
 * What is done, beside the sink, where nobody rotates it. JSON lines:
 *
 *   {"sink":"/data/results.jsonl"}                                  for people
 *   {"boot":"5c1d..."}                                              since when the machine runs that wrote what follows
 *   {"inode":"1835027"}                                             which file the sink was
 *   ["door@porch",7,"a.png"]                                        source, datum, item: it has a result
 *   ["door@porch",8,"b.txt","noItem", "4096:1714554000:1835028"]    or what else became of it; then what its file looked like
 *   {"ok":1}                                                        the lines before it are in the sink, on the disk
 *
 * A later line of a datum replaces an earlier one. Lines after the last `ok` were claimed: they were in the sink for all who
 * read it, and perhaps not on the disk, so they count unless the machine has been started since.
 */
export interface DoneRecord {
  readonly file: string
  /** Of the sink's file when the record was last written. */
  readonly inode: string | undefined
  /** When an earlier run wrote to it last, on the clock of files. */
  readonly writtenAt: Seconds
  /** These lines are in the sink and not yet on the disk: so that a process that is killed now has not forgotten them. */
  claim(lines: readonly RecordLine[]): Promise<void>
  /** What was claimed last did not reach the disk and is no longer in the sink. */
  disclaim(): Promise<void>
  /**
   * What was claimed and these lines are on the disk, in the sink; and in the record when it resolves. Those of a try that
   * failed come with the next. @throws as the operating system says
   */
  add(lines: readonly RecordLine[], inode: string): Promise<void>
  close(): Promise<void>
}

export interface RecordLine extends Recorded {
  readonly source: string
  readonly datum: number
}

/** Names of items are nobody's business but the owner's. */
const PRIVATE = 0o600
const OK = '{"ok":1}\n'

const markSchema = z.union([
  z.object({ sink: z.string() }),
  z.object({ boot: z.string() }),
  z.object({ inode: z.string() }),
  z.object({ ok: z.literal(1) })
])
/** How earlier versions called what is no item. */
const SKIPPED = 'skipped'
const KINDS: readonly unknown[] = ['result', 'noItem', 'failed', 'dropped'] satisfies Recorded['kind'][]

/** By hand: there may be hundreds of thousands. @throws TypeError when it is none of ours */
const parseLine = (json: readonly unknown[]): RecordLine => {
  const [source, datum, item, word = 'result', stamp] = json
  const kind = word === SKIPPED ? 'noItem' : word
  const isOurs =
    typeof source === 'string' && Number.isSafeInteger(datum) && (datum as number) >= 0 && typeof item === 'string'
  if (!isOurs || !KINDS.includes(kind) || (stamp !== undefined && typeof stamp !== 'string') || json.length > 5)
    throw new TypeError('is not a line of a record')
  return {
    ...{ source, datum: datum as number, item, kind: kind as Recorded['kind'] },
    ...(stamp === undefined ? {} : { stamp })
  }
}

export interface DoneRecordOptions {
  /** Of the state. */
  readonly folder: string
  /**
   * Absolute path, its folder without links (the file may be one that is led elsewhere to rotate it): each has a record of
   * its own, so that another sink starts from nothing.
   */
  readonly sink: string
  readonly found: (line: RecordLine) => void
  readonly openFile?: OpenSinkFile
  /** Names this run of the machine; undefined where that is not known, and then what was only claimed does not count. */
  readonly boot?: string | undefined
}

/** @throws UserError when it cannot be read or written */
export const openDoneRecord = async (options: DoneRecordOptions): Promise<DoneRecord> => {
  const { folder, sink, found, openFile = openSinkFile, boot = await bootOf() } = options
  const hash = createHash('sha256').update(sink).digest('hex').slice(0, 16)
  const file = join(folder, `sink-${hash}.done.jsonl`)
  const writtenAt = await stat(file).then(
    ({ mtimeMs }) => seconds(mtimeMs / 1000),
    () => seconds(Number.POSITIVE_INFINITY)
  )
  const disk = await openFile(file, undefined, PRIVATE).catch(error => {
    throw new UserError(`state ${file}: ${describeFileError(error)}; choose a folder that can be written`)
  })
  try {
    const { length, inode, isNew, isSameBoot, hasClaims } = await recover(disk, boot, found)
    if (length < disk.size) await disk.truncate(length)
    const head = isNew ? `${JSON.stringify({ sink })}\n` : ''
    const owed = `${hasClaims ? OK : head}${isSameBoot || boot === undefined ? '' : `${JSON.stringify({ boot })}\n`}`
    return new FileRecord({ file, inode, writtenAt }, disk, length, owed)
  } catch (error) {
    await disk.close()
    if ((error as NodeJS.ErrnoException).code !== undefined)
      throw new UserError(`state ${file}: ${describeFileError(error)}; choose a folder that can be written`)
    throw new UserError(`state ${file} cannot be read any more; remove it, the sink still knows what is in it`)
  }
}

const bootOf = (): Promise<string | undefined> =>
  readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    text => text.trim(),
    () => undefined
  )

interface RecoveredRecord {
  /** Bytes that count. */
  readonly length: number
  readonly inode: string | undefined
  readonly isNew: boolean
  readonly isSameBoot: boolean
  readonly hasClaims: boolean
}

const recover = async (
  disk: SinkFile,
  boot: string | undefined,
  found: (line: RecordLine) => void
): Promise<RecoveredRecord> => {
  let [inode, lastBoot]: (string | undefined)[] = []
  let claims: RecordLine[] = []
  let [bytes, sure] = [0, 0]
  const { length } = await readLines(disk, { from: 0, size: disk.size }, text => {
    bytes += Buffer.byteLength(text) + 1
    const json: unknown = JSON.parse(text)
    if (Array.isArray(json)) {
      claims.push(parseLine(json))
      return
    }
    const mark = markSchema.parse(json)
    if ('inode' in mark) inode = mark.inode
    if ('boot' in mark) lastBoot = mark.boot
    if (!('ok' in mark)) return
    for (const line of claims) found(line)
    claims = []
    sure = bytes
  })
  const isSameBoot = lastBoot !== undefined && lastBoot === boot
  const isNew = length === 0
  if (claims.length > 0 && !isSameBoot) return { length: sure, inode, isNew, isSameBoot, hasClaims: false }
  for (const line of claims) found(line)
  return { length, inode, isNew, isSameBoot, hasClaims: claims.length > 0 }
}

class FileRecord implements DoneRecord {
  readonly file: string
  inode: string | undefined
  readonly writtenAt: Seconds
  readonly #disk: SinkFile
  /** Bytes that are sure. */
  #length: number
  /** Bytes behind them that are claimed. */
  #claimed = 0
  /** Not on the disk yet. */
  #owed: string

  constructor(
    { file, inode, writtenAt }: Pick<DoneRecord, 'file' | 'inode' | 'writtenAt'>,
    disk: SinkFile,
    length: number,
    head: string
  ) {
    this.file = file
    this.#disk = disk
    this.inode = inode
    this.writtenAt = writtenAt
    this.#length = length
    this.#owed = head
  }

  async claim(lines: readonly RecordLine[]): Promise<void> {
    if (this.#owed !== '') throw new Error('has not taken what came before') // in order, or not at all
    const data = new TextEncoder().encode(lines.map(recordLine).join(''))
    await this.#disk.append(data)
    this.#claimed = data.byteLength
  }

  async disclaim(): Promise<void> {
    this.#claimed = 0
    await this.#disk.truncate(this.#length)
  }

  async add(lines: readonly RecordLine[], inode: string): Promise<void> {
    if (inode !== this.inode) this.#owed += `${JSON.stringify({ inode })}\n`
    this.inode = inode
    this.#owed += lines.map(recordLine).join('')
    if (this.#owed === '' && this.#claimed === 0) return
    const end = this.#length + this.#claimed
    const { size } = await this.#disk.look()
    if (size > end) await this.#disk.truncate(end) // what a try that failed has left
    const data = new TextEncoder().encode(this.#owed + OK)
    await this.#disk.append(data)
    await this.#disk.sync()
    this.#length = Math.min(size, end) + data.byteLength
    this.#claimed = 0
    this.#owed = ''
  }

  close(): Promise<void> {
    return this.#disk.close()
  }
}

const recordLine = ({ source, datum, item, kind, stamp }: RecordLine): string => {
  const rest = stamp !== undefined ? [kind, stamp] : kind !== 'result' ? [kind] : []
  return `${JSON.stringify([source, datum, item, ...rest])}\n`
}
