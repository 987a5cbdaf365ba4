import { type FileHandle, open } from 'node:fs/promises'
import type { Clock } from '../../core/clock.ts'
import { describeFileError } from '../../core/describe-file-error.ts'
import { every } from '../../core/every.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import type { DatumStep } from '../../runtime/ports/datum-step.ts'
import type { DeviceObserver } from '../../runtime/ports/device-observer.ts'
import { shiftStep } from '../../runtime/ports/shift-step.ts'
import { stepsObserver } from '../../runtime/ports/steps-observer.ts'

export interface TraceFileParts {
  readonly clock: Clock
  /** What to add to an instant of the clock to get the machine's monotonic time. */
  readonly offset: Seconds
  readonly say: (text: string, level?: 'warn') => void
}

/** A device that is killed loses what it did in so many seconds. */
const INTERVAL: Seconds = seconds(0.25)

/** What a device did, as JSON lines at the end of a file: those of an earlier life stay. Disposed, all lines are there. */
export class TraceFile implements AsyncDisposable {
  readonly observer: DeviceObserver
  readonly #handle: FileHandle
  readonly #over = new AbortController()
  readonly #writing: Promise<void>
  #text = '\n' // after a line that a killed process left unfinished
  #trouble = ''

  /** @throws UserError when the file cannot be written */
  static async open(file: string, parts: TraceFileParts): Promise<TraceFile> {
    const handle = await open(file, 'a').catch(error => {
      throw new UserError(`--trace ${file}: ${describeFileError(error)}`)
    })
    return new TraceFile(handle, parts, error => `--trace ${file}: ${describeFileError(error)}; it ends here`)
  }

  private constructor(
    handle: FileHandle,
    { clock, offset, say }: TraceFileParts,
    describe: (error: unknown) => string
  ) {
    this.#handle = handle
    this.observer = stepsObserver(step => this.#note(shiftStep(step, offset)))
    const { signal } = this.#over
    this.#writing = every(
      () => INTERVAL,
      () => this.#write(),
      { clock, signal }
    )
      .catch(error => (signal.aborted ? this.#write() : Promise.reject(error)))
      .catch(error => {
        this.#trouble = describe(error)
        say(this.#trouble, 'warn')
      })
  }

  /** That it has ended early, and why. */
  troubles(): readonly string[] {
    return this.#trouble === '' ? [] : [this.#trouble]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort()
    await this.#writing
    await this.#handle.close()
  }

  #note(line: DatumStep): void {
    if (this.#trouble === '') this.#text += `${JSON.stringify(line)}\n`
  }

  async #write(): Promise<void> {
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    await this.#handle.appendFile(text)
  }
}
