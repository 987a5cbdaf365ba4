import { type FileHandle, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { rotatedFile, rotatedNumbers } from '../rotate-file.ts'
import { readAt } from '../sink-file.ts'

/** Where in which file; a file is known by its inode, whatever its name is by now. */
interface Position {
  readonly inode: string
  readonly offset: number
}

export interface Parcel {
  readonly lines: readonly string[]
  readonly bytes: number
  /** Behind its last line. */
  readonly end: Position
}

const positionSchema = z.object({ inode: z.string(), offset: z.int().min(0) })
const PIECE = 256 * 1024
const NEWLINE = 10

interface Segment {
  readonly path: string
  readonly inode: string
  readonly size: number
}

/**
 * Reads what a sink appends to a file that is rotated, line by line, and remembers how far, also when the process ends.
 * A file that has been read whole is removed once there is another. Not more than one reader at a time.
 */
export class Outbox {
  readonly #file: string
  #position: Position | undefined

  private constructor(file: string, position: Position | undefined) {
    this.#file = file
    this.#position = position
  }

  /** Without what it remembered, it begins at the beginning: lines are rather read twice than never. */
  static async open(file: string): Promise<Outbox> {
    const text = await readFile(placeOf(file), 'utf8').catch(() => '')
    return new Outbox(file, parsePosition(text))
  }

  /** Bytes that have not been read. */
  async waiting(): Promise<number> {
    const segments = this.#unread(await this.#segments())
    const [first] = segments
    const read = first === undefined ? 0 : this.#offsetIn(first)
    return segments.reduce((sum, { size }) => sum + size, 0) - read
  }

  /**
   * The next whole lines, `most` of them at most; undefined where there is none now.
   * @param written bytes from here on that stay: what is behind them may be taken back, where a disk was full
   */
  async next(most: number, written: number = Number.POSITIVE_INFINITY): Promise<Parcel | undefined> {
    for (;;) {
      const segments = this.#unread(await this.#segments())
      const [first, second] = segments
      if (first === undefined) return undefined
      const offset = this.#offsetIn(first)
      const parcel = await readParcel(first, offset, most, written)
      if (parcel === 'moved') continue
      if (parcel === 'early') return undefined
      if (parcel !== undefined) return parcel
      if (second === undefined) return undefined
      await this.#remember({ inode: second.inode, offset: 0 })
      await rm(first.path, { force: true })
    }
  }

  /** It need not be read again. */
  done({ end }: Parcel): Promise<void> {
    return this.#remember(end)
  }

  /** How far it was read. A new file may have the inode of one that is gone: what is shorter than that is another. */
  #offsetIn({ inode, size }: Segment): number {
    if (this.#position?.inode !== inode || this.#position.offset > size) return 0
    return this.#position.offset
  }

  async #remember(position: Position): Promise<void> {
    this.#position = position
    const place = placeOf(this.#file)
    await writeFile(`${place}.part`, JSON.stringify(position), { mode: 0o600 })
    await rename(`${place}.part`, place)
  }

  /** Those that are not read whole; all, where the one that was read is gone. */
  #unread(segments: readonly Segment[]): readonly Segment[] {
    const at = segments.findIndex(({ inode }) => inode === this.#position?.inode)
    return at === -1 ? segments : segments.slice(at)
  }

  /** The oldest first. */
  async #segments(): Promise<readonly Segment[]> {
    const numbers = await rotatedNumbers(this.#file)
    const paths = [...numbers.map(number => rotatedFile(this.#file, number)), this.#file]
    const segments: Segment[] = []
    for (const path of paths) {
      const stats = await stat(path, { bigint: true }).catch(() => undefined)
      if (stats !== undefined) segments.push({ path, inode: String(stats.ino), size: Number(stats.size) })
    }
    return segments
  }
}

const placeOf = (file: string): string => `${file}.delivered`

const parsePosition = (text: string): Position | undefined => {
  try {
    return positionSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

const readParcel = async (
  { path, inode }: Segment,
  offset: number,
  most: number,
  written: number
): Promise<Parcel | 'moved' | 'early' | undefined> => {
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch {
    return 'moved'
  }
  try {
    const { ino } = await handle.stat({ bigint: true })
    if (String(ino) !== inode) return 'moved'
    const bytes = await readWhole(handle, offset)
    if (bytes === undefined) return undefined
    let end = 0
    const lines: string[] = []
    while (lines.length < most) {
      const newline = bytes.indexOf(NEWLINE, end)
      if (newline === -1 || newline >= written) break
      lines.push(new TextDecoder().decode(bytes.subarray(end, newline)))
      end = newline + 1
    }
    return lines.length === 0 ? 'early' : { lines, bytes: end, end: { inode, offset: offset + end } }
  } finally {
    await handle.close()
  }
}

/** A piece from `offset` on, as large as it takes for a whole line; undefined where there is none. */
const readWhole = async (handle: FileHandle, offset: number): Promise<Uint8Array | undefined> => {
  for (let length = PIECE; ; length *= 2) {
    const bytes = await readAt(handle, offset, length)
    if (bytes.includes(NEWLINE)) return bytes
    if (bytes.byteLength < length) return undefined
  }
}
