import type { Clock } from '../../core/clock.ts'
import type { Tensor } from '../../core/tensor.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import type { DataPort } from '../io/data-port.ts'
import { FileUnavailable } from '../io/file-unavailable.ts'
import type { ItemStamp } from '../io/item-stamp.ts'
import type { NumberedItem } from './source-items.ts'

export interface ItemReaderParts {
  readonly clock: Clock
  /** Since 1970, to compare with the times of files. */
  readonly wallTime: () => Seconds
  /** An absent or unreadable item is tried again for at least so long, and at least until all others were read. */
  readonly patience: Seconds
  /** For people: one line. */
  readonly say: (text: string) => void
}

type Port = Pick<DataPort, 'read' | 'stamp'>

export type Reading =
  | { readonly kind: 'tensors'; readonly tensors: readonly Tensor[] }
  /** Put aside: `due` brings it again. */
  | { readonly kind: 'later' }
  /** Not what it should be, and it has not changed for a while. `stamp`: what its file looks like. */
  | { readonly kind: 'bad'; readonly because: string; readonly stamp: string }
  /** Absent or unreadable for too long; the next start tries it again. */
  | { readonly kind: 'givenUp'; readonly because: string }

/** What cannot be understood is believed to be whole when its file has not changed for this long, */
const SETTLED: Seconds = seconds(10)
/** or for this long where it says of itself that it was last changed so long ago; clocks of file servers may be off. */
const SETTLED_OLD: Seconds = seconds(1)
const OLD: Seconds = seconds(60)
/** One that keeps changing has so many times the patience. */
const PATIENCE_WHILE_IT_CHANGES = 10
const FIRST_PAUSE: Seconds = seconds(0.25)
const LONGEST_PAUSE: Seconds = seconds(5)

interface Aside {
  readonly numbered: NumberedItem
  /** When it was first put aside. */
  readonly since: Seconds
  readonly pause: Seconds
  readonly next: Seconds
  /** What its files looked like when they were read last, and since when they do; undefined while absent. */
  readonly seen: { readonly stamp: ItemStamp; readonly since: Seconds } | undefined
}

/**
 * Reads a source's items, and tells what is bad from what is away: a folder may be unmounted for a while, a file may still be
 * being written. Neither is held against an item; both are tried again, later and later, at most five seconds apart.
 */
export class ItemReader {
  readonly #parts: ItemReaderParts
  readonly #aside = new Map<number, Aside>()
  #givenUp = 0
  #isLast = false
  #hasComplained = false

  constructor(parts: ItemReaderParts) {
    this.#parts = parts
  }

  /** Items that are put aside. */
  get waiting(): number {
    return this.#aside.size
  }

  /** Items that were given up for this run. */
  get givenUp(): number {
    return this.#givenUp
  }

  /** An item that is known to be away: it is put aside from now on. */
  expect(numbered: NumberedItem): void {
    this.#putAside(numbered, undefined)
  }

  /** Every item was tried once: from now on patience has an end. */
  lastWasRead(): void {
    this.#isLast = true
  }

  /** One that was put aside and is to be read again now; the one that waits longest for it. */
  due(): NumberedItem | undefined {
    const now = this.#parts.clock.now()
    let first: Aside | undefined
    for (const aside of this.#aside.values()) {
      if (aside.next <= now && (first === undefined || aside.next < first.next)) first = aside
    }
    return first?.numbered
  }

  /** Not needed any more. */
  forget(datum: number): void {
    if (this.#aside.delete(datum)) this.#relieved()
  }

  /** @param port what makes tensors of items at present */
  async read(numbered: NumberedItem, port: Port): Promise<Reading> {
    try {
      const tensors = await port.read(numbered.item)
      this.forget(numbered.datum)
      return { kind: 'tensors', tensors }
    } catch (error) {
      if (error instanceof FileUnavailable) return this.#unavailable(numbered, error.message)
      if (error instanceof UserError) return this.#bad(numbered, port, error.message)
      throw error
    }
  }

  #unavailable(numbered: NumberedItem, because: string): Reading {
    const aside = this.#putAside(numbered, undefined)
    if (this.#isOver(aside, 1)) return this.#giveUp(numbered, because)
    this.#complain(`${numbered.item.name}: ${because}; tried again until it can be read`)
    return { kind: 'later' }
  }

  async #bad(numbered: NumberedItem, port: Port, because: string): Promise<Reading> {
    const { clock, wallTime } = this.#parts
    const before = this.#aside.get(numbered.datum)?.seen
    let stamp: ItemStamp
    try {
      stamp = await port.stamp(numbered.item)
    } catch (error) {
      if (!(error instanceof FileUnavailable)) throw error
      return this.#unavailable(numbered, error.message)
    }
    const now = clock.now()
    const since = before?.stamp.id === stamp.id ? before.since : now
    const needed = wallTime() - stamp.modified > OLD ? SETTLED_OLD : SETTLED
    if (now - since >= needed) {
      this.forget(numbered.datum)
      return { kind: 'bad', because, stamp: stamp.id }
    }
    const aside = this.#putAside(numbered, { stamp, since }, seconds(since + needed))
    if (this.#isOver(aside, PATIENCE_WHILE_IT_CHANGES))
      return this.#giveUp(numbered, `${because}; and it keeps changing`)
    return { kind: 'later' }
  }

  #isOver({ since }: Aside, times: number): boolean {
    return this.#isLast && this.#parts.clock.now() - since >= times * this.#parts.patience
  }

  #giveUp({ datum }: NumberedItem, because: string): Reading {
    this.#givenUp++
    this.forget(datum)
    return { kind: 'givenUp', because }
  }

  /** @param at the latest time to look again */
  #putAside(numbered: NumberedItem, seen: Aside['seen'], at: Seconds = seconds(Number.POSITIVE_INFINITY)): Aside {
    const now = this.#parts.clock.now()
    const before = this.#aside.get(numbered.datum)
    const pause = before === undefined ? FIRST_PAUSE : seconds(Math.min(2 * before.pause, LONGEST_PAUSE))
    const next = seconds(Math.min(now + pause, Math.max(at, now + FIRST_PAUSE)))
    const aside: Aside = { numbered, since: before?.since ?? now, pause, next, seen }
    this.#aside.set(numbered.datum, aside)
    return aside
  }

  /** Once for each time that something is away, not for each item. */
  #complain(text: string): void {
    if (this.#hasComplained) return
    this.#hasComplained = true
    this.#parts.say(text)
  }

  #relieved(): void {
    if (this.#aside.size > 0 || !this.#hasComplained) return
    this.#hasComplained = false
    if (this.#givenUp === 0) this.#parts.say('all items could be read again')
  }
}
