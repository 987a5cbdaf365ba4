import type { Clock } from '../../../core/clock.ts'
import { describeFileError } from '../../../core/describe-file-error.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import { type Deliverer, Undelivered } from './deliver.ts'
import type { Outbox, Parcel } from './outbox.ts'

export interface CourierParts {
  readonly outbox: Outbox
  readonly deliverer: Deliverer
  /** Lines that the other end will never take. */
  readonly setAside: (lines: readonly string[], because: string) => Promise<void>
  /** Bytes that wait and stay written. */
  readonly written: () => number
  /** They are delivered, or set aside. */
  readonly gone: (bytes: number) => void
  readonly clock: Clock
  readonly say: (text: string, level?: 'warn') => void
}

const FIRST_PAUSE: Seconds = seconds(0.5)
const LONGEST_PAUSE: Seconds = seconds(60)
/** Who asks for more patience gets so much. */
const MOST_PATIENCE: Seconds = seconds(3600)

/** Delivers what is in an outbox, in order, each thing until it is delivered. */
export class Courier {
  readonly #parts: CourierParts
  readonly #stopping = new AbortController()
  #wake: () => void = () => {}
  #trouble: string | undefined
  #isLast = false
  #isCalled = false
  /** So many lines are delivered one by one: they were refused together. */
  #alone = 0

  constructor(parts: CourierParts) {
    this.#parts = parts
  }

  /** Why nothing is delivered now. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** There is something new. */
  call(): void {
    this.#isCalled = true
    this.#wake()
  }

  /** Resolves after `stop`, or after `finish` when nothing is left or the other end is away. */
  async run(): Promise<void> {
    for (let pause = FIRST_PAUSE; !this.#stopping.signal.aborted; ) {
      this.#isCalled = false
      try {
        const isDelivered = await this.#deliverNext()
        if (!isDelivered && this.#isLast) return
        if (!isDelivered) await this.#called()
        pause = FIRST_PAUSE
      } catch (error) {
        this.#fail(error)
        if (this.#isLast) return
        const asked = error instanceof Undelivered ? (error.after ?? 0) : 0
        await this.#sleep(seconds(Math.max(pause, Math.min(asked, MOST_PATIENCE))))
        pause = seconds(Math.min(2 * pause, LONGEST_PAUSE))
      }
    }
  }

  /** What is there is tried once more. */
  finish(): void {
    this.#isLast = true
    this.#wake()
  }

  /** What is under way is let go. */
  stop(): void {
    this.#stopping.abort()
    this.#wake()
  }

  /** @returns whether there was something */
  async #deliverNext(): Promise<boolean> {
    const { outbox, deliverer, gone, written } = this.#parts
    const parcel = await outbox.next(this.#alone > 0 ? 1 : deliverer.most, written())
    if (parcel === undefined) return false
    const isTaken = await this.#hand(parcel)
    if (isTaken === undefined) return true
    this.#alone = Math.max(0, this.#alone - 1)
    await outbox.done(parcel)
    gone(parcel.bytes)
    if (isTaken) this.#succeed()
    return true
  }

  /** @returns undefined where several were refused: one of them may be why, so each is delivered alone */
  async #hand({ lines }: Parcel): Promise<boolean | undefined> {
    const { deliverer, setAside } = this.#parts
    try {
      await deliverer.deliver(lines, this.#stopping.signal)
      return true
    } catch (error) {
      if (!(error instanceof Undelivered && error.isFinal)) throw error
      if (lines.length > 1) {
        this.#alone = lines.length
        return undefined
      }
      await setAside(lines, error.message)
      return false
    }
  }

  #fail(error: unknown): void {
    const because = describeFileError(error)
    if (because !== this.#trouble)
      this.#parts.say(`${because}; tried again, results are kept on the disk meanwhile`, 'warn')
    this.#trouble = because
  }

  #succeed(): void {
    if (this.#trouble !== undefined) this.#parts.say('results are delivered again')
    this.#trouble = undefined
  }

  async #called(): Promise<void> {
    if (this.#isCalled || this.#isLast || this.#stopping.signal.aborted) return
    await new Promise<void>(resolve => {
      this.#wake = resolve
    })
  }

  async #sleep(pause: Seconds): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => {
      if (this.#isLast || this.#stopping.signal.aborted) woken.abort()
    }
    if (this.#isLast || this.#stopping.signal.aborted) return
    await this.#parts.clock.sleep(pause, { signal: woken.signal }).catch(() => {})
  }
}
