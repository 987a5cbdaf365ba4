import { closeSync, fstatSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { describeFileError } from '../../core/describe-file-error.ts'
import type { Bytes } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'

export interface LogFileOptions {
  readonly file: string
  /** A file that would become larger is rotated first. */
  readonly size: Bytes
  /** How many older ones stay beside it: FILE.1 is the newest of them. 0: none. */
  readonly keep: number
  /** Hears lines that the disk does not take. */
  readonly otherwise: (line: string) => void
}

/**
 * Lines at the end of a file, each there when `write` returns: none is lost when the process ends, however it does. Where the
 * disk refuses, they go elsewhere. A file that others have renamed or removed is left to them, and begun anew.
 */
export class LogFile {
  readonly #options: LogFileOptions
  #fd: number | undefined
  #inode = 0
  #size = 0
  #trouble = ''
  /** Of the last line only the beginning is there. */
  #isTorn = false

  /** @throws UserError when the file cannot be written */
  constructor(options: LogFileOptions) {
    this.#options = options
    try {
      this.#open()
    } catch (error) {
      throw new UserError(`--log-file ${options.file}: ${describeFileError(error)}; give a file that can be written`)
    }
  }

  /** Never throws. @param line with its end */
  write(line: string): void {
    const bytes = Buffer.from(this.#isTorn ? `\n${line}` : line)
    let written = 0
    try {
      this.#prepare(bytes.length)
      while (written < bytes.length) written += writeSync(this.#fd!, bytes, written)
      this.#size += written
      this.#isTorn = false
      this.#trouble = ''
    } catch (error) {
      this.#isTorn ||= written > 0
      this.#refused(error)
      this.#options.otherwise(line)
    }
  }

  close(): void {
    if (this.#fd === undefined) return
    closeSync(this.#fd)
    this.#fd = undefined
  }

  #prepare(more: number): void {
    if (!this.#isInPlace()) {
      this.close()
      this.#open()
    }
    if (this.#size > 0 && this.#size + more > this.#options.size) this.#rotate()
  }

  #isInPlace(): boolean {
    const { file } = this.#options
    return this.#fd !== undefined && statSync(file, { throwIfNoEntry: false })?.ino === this.#inode
  }

  #open(): void {
    const fd = openSync(this.#options.file, 'a', 0o600)
    const { ino, size } = fstatSync(fd)
    this.#fd = fd
    this.#inode = ino
    this.#size = size
  }

  #rotate(): void {
    const { file, keep } = this.#options
    this.close()
    if (keep === 0) rmSync(file)
    for (let i = keep - 1; i >= 0; i--) {
      const older = i === 0 ? file : `${file}.${i}`
      if (statSync(older, { throwIfNoEntry: false }) !== undefined) renameSync(older, `${file}.${i + 1}`)
    }
    this.#open()
  }

  /** Said once for each cause. */
  #refused(error: unknown): void {
    const because = describeFileError(error)
    if (because === this.#trouble) return
    this.#trouble = because
    this.#options.otherwise(
      `tributary: --log-file ${this.#options.file}: ${because}; lines come here until it is mended\n`
    )
  }
}
