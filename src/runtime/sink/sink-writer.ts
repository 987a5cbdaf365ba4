import { parseSinkLine, type SinkEntry, sinkLine } from '../ports/sink-entry.ts'
import { findCopy } from './find-copy.ts'
import { RecentBytes } from './recent-bytes.ts'
import { recoverSink, type SinkRange, type Strange } from './recover-sink.ts'
import { rotateFile } from './rotate-file.ts'
import type { OpenSinkFile, SinkFile } from './sink-file.ts'

/** When a sink's file is renamed, and another begun. */
export interface Rotation {
  /** A file that would become larger, in bytes, is renamed before. A single longer line has a file of its own. */
  readonly size: number
  /** So many renamed files remain; undefined for all. */
  readonly keep?: number | undefined
}

export interface SinkWriterParts {
  readonly path: string
  /** The flag and file, for messages. */
  readonly what: string
  readonly openFile: OpenSinkFile
  /** Opened and locked. */
  readonly disk: SinkFile
  readonly rotation?: Rotation | undefined
  /** Is told of every line that is there and was not written here. */
  readonly found: (entry: SinkEntry) => void
  readonly say: (text: string, level?: 'warn') => void
}

const NEWLINE = new TextEncoder().encode('\n')
/** A disk that has not even room for this is full. */
const PROBE = new Uint8Array(4096).fill(32)

/**
 * Appends to the file that the path of a sink leads to, though it be renamed, deleted, replaced or cut meanwhile by whoever
 * rotates files: `settle`, then `append`. After either has thrown, `settle` again.
 */
export class SinkWriter {
  readonly #parts: SinkWriterParts
  #disk: SinkFile
  /** Bytes of the file that are whole lines. */
  #length = 0
  /** What was appended last, also what is not known to be on the disk yet. */
  readonly #recent = new RecentBytes()
  /** Lines that were in the file, are in no copy of it, and are to be written again. */
  #missing: readonly string[] = []
  /** A write has failed: what is behind `#length` is part of it and counts for nothing. */
  #isDirty = false
  #hasSaidStrange = false

  constructor(parts: SinkWriterParts) {
    this.#parts = parts
    this.#disk = parts.disk
  }

  /**
   * Read what an earlier run left.
   * @param before which file an earlier run wrote to, where that is known
   * @throws RangeError when it is no sink; nothing was changed then
   */
  async open(before?: string): Promise<void> {
    const { what, say, found } = this.#parts
    const { size } = await this.#disk.look() // not that from before it was locked: its last holder may have written since
    const isOurs = before === this.inode
    let results = 0
    const { length, torn, strange } = await recoverSink(this.#disk, { from: 0, size, isOurs }, entry => {
      results++
      found(entry)
    })
    // An inode is used again: for a sink it takes a line of ours.
    if (strange !== undefined && results === 0)
      throw new RangeError(`line ${strange.line} is not a result of tributary: ${strange.first}`)
    // Not before the file is known to be a sink: up to here nothing was changed.
    await this.#disk.truncate(length)
    await this.#disk.append(PROBE)
    await this.#disk.sync()
    await this.#disk.truncate(length)
    this.#length = await this.#passOver(this.#disk, length, strange)
    if (torn > 0) say(`${what}: a line that was not written to its end was cut off (${torn} bytes)`, 'warn')
  }

  /**
   * Make sure that the path leads to this file and that it ends where it was left, else go on where it does.
   * @throws as the operating system says, or RangeError, while that cannot be: nothing must be written then
   */
  async settle(): Promise<void> {
    const { isHere, size } = await this.#disk.look()
    if (this.#isDirty) this.#recent.cut(this.#length)
    if (this.#isDirty && size > this.#length) await this.#disk.truncate(this.#length)
    else if (isHere && size !== this.#length) await this.#findEnd(size)
    this.#isDirty = false
    if (!isHere) {
      await this.#moveOn()
      const { what, say } = this.#parts
      say(`${what}: was moved or deleted; going on in a new file, what is done stays done`, 'warn')
    }
    await this.#restore()
  }

  /** After `settle`: a file that has no room for so many bytes is renamed. @throws as `settle` does */
  async makeRoom(byteLength: number): Promise<void> {
    const { path, rotation } = this.#parts
    if (rotation === undefined || this.#length === 0 || this.#length + byteLength <= rotation.size) return
    await rotateFile(path, rotation.keep)
    await this.#moveOn()
  }

  /** Of the file that is written to. */
  get inode(): string {
    return this.#disk.inode
  }

  /**
   * Whole lines. They are on the disk when it resolves.
   * @param written they are in the file, for all who read it, and not yet on the disk
   */
  async append(lines: Uint8Array, written: () => Promise<void> = async () => {}): Promise<void> {
    this.#isDirty = true
    this.#recent.put(this.#length, lines)
    await this.#disk.append(lines)
    await written()
    await this.#disk.sync()
    this.#isDirty = false
    const { size } = await this.#disk.look()
    // What is there is on the disk, but not where it should be: `settle` finds out which lines are.
    if (size !== this.#length + lines.byteLength) throw new Error('was changed by something else while it was written')
    this.#length = size
  }

  /** What a write that failed has left goes. */
  async clean(): Promise<void> {
    if (this.#isDirty) await this.#disk.truncate(this.#length)
  }

  close(): Promise<void> {
    return this.#disk.close()
  }

  /** Cut shorter (copied and truncated), or appended to by somebody who asked for no lock. */
  async #findEnd(size: number): Promise<void> {
    const { what, say } = this.#parts
    const isCut = size < this.#length
    await this.#disk.sync()
    if (!isCut) {
      const { length, isStrange } = await this.#recover(this.#disk, { from: this.#length, size })
      if (!isStrange)
        say(`${what}: something else has written ${size - this.#length} bytes into it; going on behind that`, 'warn')
      this.#length = length
      return
    }
    const present = new Set<string>()
    const { length } = await this.#recover(this.#disk, { from: 0, size }, entry => present.add(sinkLine(entry)))
    say(
      `${what}: was cut from ${this.#length} to ${size} bytes by something else; going on behind that, what is done stays done`,
      'warn'
    )
    this.#length = length
    await this.#findMissing(present)
  }

  /**
   * Where the file was copied before it was cut, what was written between the two is in neither: it is written again. All
   * other lines are in the copy, also those of a write that was on its way.
   * @param present lines that are in the file
   */
  async #findMissing(present: ReadonlySet<string>): Promise<void> {
    const copied = await findCopy(this.#disk.folder.path, this.#disk.inode, this.#recent)
    if (copied !== undefined) {
      const missing = new Set(linesIn(this.#recent.linesFrom(copied)))
      for (const line of linesIn(this.#recent.linesFrom(this.#recent.start))) if (!missing.has(line)) this.#found(line)
      this.#missing = [...this.#missing, ...missing].filter(line => !present.has(line))
    }
    this.#recent.cut(0)
  }

  async #restore(): Promise<void> {
    if (this.#missing.length === 0) return
    const lines = this.#missing
    await this.append(new TextEncoder().encode(lines.join('')))
    this.#missing = []
    for (const line of lines) this.#found(line)
    this.#parts.say(`${this.#parts.what}: ${lines.length} lines that its copy has missed are in it again`)
  }

  #found(line: string): void {
    this.#parts.found(parseSinkLine(line))
  }

  async #moveOn(): Promise<void> {
    const { path, what, openFile } = this.#parts
    const next = await openFile(path, this.#disk)
    try {
      await next.lock(what)
      const { size } = await next.look()
      const { length } = await this.#recover(next, { from: 0, size })
      await this.#disk.close().catch(() => {}) // what counts in it is on the disk
      this.#disk = next
      this.#length = length
      this.#recent.cut(0)
    } catch (error) {
      await next.close()
      throw error
    }
  }

  async #recover(
    disk: SinkFile,
    range: SinkRange,
    seen: (entry: SinkEntry) => void = () => {}
  ): Promise<{ readonly length: number; readonly isStrange: boolean }> {
    // What others write into the file that is held makes it nothing else; one in its place may be anything.
    const isOurs = disk === this.#disk
    const { length, torn, strange } = await recoverSink(disk, { ...range, isOurs }, entry => {
      seen(entry)
      this.#parts.found(entry)
    })
    if (torn > 0) await disk.truncate(length)
    return { length: await this.#passOver(disk, length, strange), isStrange: strange !== undefined }
  }

  /** What somebody else wrote stays, as a line of its own. @returns where the next line of ours begins */
  async #passOver(disk: SinkFile, length: number, strange: Strange | undefined): Promise<number> {
    if (strange === undefined) return length
    const { what, say } = this.#parts
    const { lines, first, isOpen } = strange
    if (isOpen) {
      await disk.append(NEWLINE)
      await disk.sync()
    }
    const named = `${lines === 1 ? 'a line that is no result' : `${lines} lines that are no results`}: ${JSON.stringify(first)}`
    if (!this.#hasSaidStrange)
      say(`${what}: something else has written ${named}; passed over, also when there are more`, 'warn')
    this.#hasSaidStrange = true
    return isOpen ? length + NEWLINE.byteLength : length
  }
}

/** With their ends. */
const linesIn = (bytes: Uint8Array): string[] => new TextDecoder().decode(bytes).match(/[^\n]*\n/g) ?? []
