import { type Dropped, WaitingRoom } from '../../cluster/waiting-room.ts'
import type { AdmissionTerms } from '../../core/admission-terms.ts'
import type { Clock } from '../../core/clock.ts'
import type { DropReason } from '../../core/drop-reason.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { Item } from '../ports/data-port.ts'
import type { ItemStream, NumberedItem } from '../ports/source-data.ts'

export interface LiveItemsParts {
  readonly terms: AdmissionTerms
  readonly clock: Clock
  /** Of the next datum. @default 0, 1, 2 ... */
  readonly number?: () => number
  /** So many are taken, then it ends. @default all */
  readonly most?: number
  /** Told of each that is dropped; resolves when that is safe. */
  readonly dropped: (numbered: NumberedItem, reason: DropReason) => Promise<void>
}

/** While so many drops are not safe yet, whoever brings items waits: a flood that is dropped takes no memory either. */
const MOST_UNSAFE = 256

/** Items that come by themselves, on their way to a source: admitted or dropped by its terms. Read once. */
export class LiveItems implements ItemStream {
  readonly #parts: LiveItemsParts
  readonly #room: WaitingRoom<NumberedItem>
  /** As ItemStream. */
  expects: () => Seconds = () => seconds(0)
  #came = 0
  #unsafe = 0
  #ended = false
  #lastSince: Seconds = seconds(Number.NEGATIVE_INFINITY)
  /** Of the reader. */
  #wake: () => void = () => {}
  /** Of those who bring items and wait. */
  #waiting: (() => void)[] = []

  constructor(parts: LiveItemsParts) {
    this.#parts = parts
    this.#room = new WaitingRoom(parts.terms)
  }

  /** Items that have come so far. */
  get taken(): number {
    return this.#came
  }

  get ended(): boolean {
    return this.#ended
  }

  /**
   * It has come: in it goes, or what the terms drop for it goes. Where nothing may be dropped, it waits until there is room.
   * @returns its number; undefined when the stream has ended and it does not go in
   */
  async offer(item: Item): Promise<number | undefined> {
    const since = this.#parts.clock.now()
    const mustWait = (): boolean =>
      this.#unsafe >= MOST_UNSAFE || (this.#parts.terms.drop === 'none' && this.#room.isFull)
    while (!this.#ended && mustWait()) await new Promise<void>(wake => this.#waiting.push(wake))
    return this.#ended ? undefined : this.put(item, since)
  }

  /** As `offer`, at once. @throws InvariantError where it is full and nothing may be dropped */
  put(item: Item, since: Seconds = this.#parts.clock.now()): number {
    const datum = this.#parts.number?.() ?? this.#came
    this.#came++
    this.#lastSince = seconds(Math.max(since, this.#lastSince))
    this.#expire()
    const dropped = this.#room.offer({ datum, item, since: this.#lastSince }, this.#lastSince)
    if (dropped !== undefined) this.#drop(dropped)
    this.#wake()
    if (this.#came === this.#parts.most) this.end()
    return datum
  }

  /** Nothing more comes; what waits is still given. */
  end(): void {
    this.#ended = true
    this.#wake()
    this.#letIn()
  }

  /** It ends now, and what waits is dropped. */
  close(): void {
    for (const datum of this.#room.clear()) this.#drop({ datum, reason: 'stopped' })
    this.end()
  }

  tick(): void {
    this.#expire()
  }

  [Symbol.asyncIterator](): AsyncIterator<NumberedItem> {
    return {
      next: async () => {
        for (;;) {
          this.#expire()
          const taken = this.#room.take(this.#parts.clock.now(), this.expects())
          if (taken !== undefined) {
            this.#letIn()
            return { done: false, value: taken.datum }
          }
          if (this.#ended && this.#room.size === 0) return { done: true, value: undefined }
          await this.#change()
        }
      }
    }
  }

  /** Something comes, or the rate permits what waits. */
  async #change(): Promise<void> {
    const { clock } = this.#parts
    const over = new AbortController()
    const woken = new Promise<void>(resolve => {
      this.#wake = resolve
    })
    const permitted = this.#room.size === 0 ? [] : [seconds(this.#room.permittedAt - clock.now())]
    await Promise.race([woken, ...permitted.map(wait => clock.sleep(wait, { signal: over.signal }).catch(() => {}))])
    over.abort()
  }

  #expire(): void {
    const over = this.#room.expire(this.#parts.clock.now())
    for (const dropped of over) this.#drop(dropped)
    if (over.length > 0) this.#letIn()
  }

  #drop({ datum, reason }: Dropped<NumberedItem>): void {
    this.#unsafe++
    const safe = (): void => {
      this.#unsafe--
      this.#letIn()
    }
    this.#parts.dropped(datum, reason).then(safe, safe)
  }

  #letIn(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
