import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import { readLines } from './read-lines.ts'
import type { Recorded } from './sink.ts'
import { type OpenSinkFile, openSinkFile, type SinkFile } from './sink-file.ts'

/**
 * What is done, beside the sink, where nobody rotates it. JSON lines, the first for people, the second for each file that
 * the sink has been:
 *
 *   {"sink":"/data/results.jsonl"}
 *   {"inode":"1835027"}
 *   ["door@porch",7,"a.png"]
 *   ["door@porch",8,"b.txt","skipped","4096 1714554000.5"]
 *
 * source, datum, item, then what became of it where that is not a result, then what its file looked like.
 * A later line of a datum replaces an earlier one.
 */
export interface DoneRecord {
  readonly file: string
  /** Of the sink's file when the record was last written. */
  readonly inode: string | undefined
  /** Lines are on the disk when it resolves. Those of a try that failed come with the next. @throws as the operating system says */
  add(lines: readonly RecordLine[], inode: string): Promise<void>
  close(): Promise<void>
}

export interface RecordLine extends Recorded {
  readonly source: string
  readonly datum: number
}

const lineSchema = z.union([
  z.object({ sink: z.string() }),
  z.object({ inode: z.string() }),
  z.tuple([
    z.string(),
    z.int().min(0),
    z.string(),
    z.enum(['result', 'skipped', 'failed']).optional(),
    z.string().optional()
  ])
])

/**
 * @param folder of the state
 * @param sink absolute path, its folder without links (the file may be one that is led elsewhere to rotate it): each has a record of its own, so that another sink starts from nothing
 * @throws UserError when it cannot be read or written
 */
export const openDoneRecord = async (
  folder: string,
  sink: string,
  found: (line: RecordLine) => void,
  openFile: OpenSinkFile = openSinkFile
): Promise<DoneRecord> => {
  const hash = createHash('sha256').update(sink).digest('hex').slice(0, 16)
  const file = join(folder, `sink-${hash}.done.jsonl`)
  const disk = await openFile(file).catch(error => {
    throw new UserError(`--state: ${file}: ${describeFileError(error)}; choose a folder that can be written`)
  })
  try {
    let inode: string | undefined
    const { length, torn } = await readLines(disk, { from: 0, size: disk.size }, text => {
      const line = lineSchema.parse(JSON.parse(text))
      if (!Array.isArray(line)) {
        if ('inode' in line) inode = line.inode
        return
      }
      const [source, datum, item, kind = 'result', stamp] = line
      found({ source, datum, item, kind, ...(stamp === undefined ? {} : { stamp }) })
    })
    if (torn.byteLength > 0) await disk.truncate(length)
    return new FileRecord(file, disk, inode, length, length === 0 ? `${JSON.stringify({ sink })}\n` : '')
  } catch (error) {
    await disk.close()
    if ((error as NodeJS.ErrnoException).code !== undefined)
      throw new UserError(`--state: ${file}: ${describeFileError(error)}; choose a folder that can be written`)
    throw new UserError(`--state: ${file} cannot be read any more; remove it, the sink still knows what is in it`)
  }
}

class FileRecord implements DoneRecord {
  readonly file: string
  inode: string | undefined
  readonly #disk: SinkFile
  #length: number
  /** Not on the disk yet. */
  #owed: string

  constructor(file: string, disk: SinkFile, inode: string | undefined, length: number, head: string) {
    this.file = file
    this.#disk = disk
    this.inode = inode
    this.#length = length
    this.#owed = head
  }

  async add(lines: readonly RecordLine[], inode: string): Promise<void> {
    if (inode !== this.inode) this.#owed += `${JSON.stringify({ inode })}\n`
    this.inode = inode
    this.#owed += lines.map(recordLine).join('')
    if (this.#owed === '') return
    const data = new TextEncoder().encode(this.#owed)
    const { size } = await this.#disk.look()
    if (size > this.#length) await this.#disk.truncate(this.#length) // what a try that failed has left
    await this.#disk.append(data)
    await this.#disk.sync()
    this.#length = Math.min(size, this.#length) + data.byteLength
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
