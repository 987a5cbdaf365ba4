import type { Clock } from '../../core/clock.ts'
import type { Tensor } from '../../core/tensor.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import type { DataPort } from '../ports/data-port.ts'
import type { ItemStamp } from '../ports/item-stamp.ts'
import { ItemUnavailable } from '../ports/item-unavailable.ts'
import type { NumberedItem } from '../ports/source-data.ts'

export interface ItemReaderParts {
  readonly clock: Clock
  /** Since 1970, to compare with the times of files. */
  readonly wallTime: () => Seconds
  /** An absent or unreadable item is tried again for at least so long, and at least until all others were read. */
  readonly patience: Seconds
  /** Its items do not come again: one that was given up is not looked at any more. */
  readonly isLive?: boolean | undefined
  /** For people: one line. */
  readonly say: (text: string, level?: 'warn') => void
}

type Port = Pick<DataPort, 'read' | 'stamp'>

export type Reading =
  | { readonly kind: 'tensors'; readonly tensors: readonly Tensor[] }
  /** Put aside: `due` brings it again. */
  | { readonly kind: 'later' }
  /** Not what it should be, and it has not changed for a while. `stamp`: what its file looks like; undefined: it cannot change. */
  | { readonly kind: 'bad'; readonly because: string; readonly stamp: string | undefined }
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
/** How often it is looked whether what was done with for now has changed. */
const LOOK_PAUSE: Seconds = seconds(5)
/** Where a look takes long (very many files, a slow share) it is less often: so many times as long. */
const PAUSES_PER_LOOK = 10

interface Aside {
  readonly numbered: NumberedItem
  /** When it was first put aside. */
  readonly since: Seconds
  readonly pause: Seconds
  readonly next: Seconds
  /** What its files looked like when they were read last, and since when they do; undefined while absent. */
  readonly seen: { readonly stamp: ItemStamp; readonly since: Seconds } | undefined
}

/** Bad, or given up: as long as the run lasts it may become good. */
interface Left {
  readonly numbered: NumberedItem
  /** What its files looked like; undefined while absent. */
  readonly stamp: string | undefined
  readonly isGivenUp: boolean
}

/**
 * Reads a source's items, and tells what is bad from what is away: a folder may be unmounted for a while, a file may still be
 * being written. Neither is held against an item; both are tried again, later and later, at most five seconds apart. What was
 * bad or given up is looked at for as long as the run lasts: `look` puts it aside again when it has changed.
 */
export class ItemReader {
  readonly #parts: ItemReaderParts
  readonly #aside = new Map<number, Aside>()
  readonly #left = new Map<number, Left>()
  /** Since when those are waited for that have changed after the last item was read: that is once. */
  readonly #backSince = new Map<number, Seconds>()
  #lookAt: Seconds = seconds(Number.NEGATIVE_INFINITY)
  #neverWhole = 0
  #isLast = false
  #hasComplained = false

  constructor(parts: ItemReaderParts) {
    this.#parts = parts
  }

  /** Items that are put aside. */
  get waiting(): number {
    return this.#aside.size
  }

  /** Items that were given up for this run, unless they change. */
  get givenUp(): number {
    let absent = 0
    for (const { isGivenUp } of this.#left.values()) if (isGivenUp) absent++
    return absent + this.#neverWhole
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

  /** An item was bad, and that is in the sink. @param stamp as `read` said */
  leave(numbered: NumberedItem, stamp: string | undefined): void {
    if (stamp !== undefined) this.#left.set(numbered.datum, { numbered, stamp, isGivenUp: false })
  }

  /**
   * What was bad or given up and has changed since is put aside, to be read again. Not more often than every five seconds,
   * however often it is called.
   * @param isLast look now: nothing else is left to be done. @returns whether there is something to be read again
   */
  async look(port: Pick<DataPort, 'stamp'>, isLast = false): Promise<boolean> {
    const { clock } = this.#parts
    if (!isLast && clock.now() < this.#lookAt) return false
    const begun = clock.now()
    this.#lookAt = seconds(Number.POSITIVE_INFINITY) // one look at a time
    let isChanged = false
    for (const left of [...this.#left.values()]) {
      const stamp = await stampOf(left.numbered, port)
      // What is absent now may be on its way: it is not read before it is there.
      if (stamp === undefined || stamp === left.stamp || this.#left.get(left.numbered.datum) !== left) continue
      this.#takeBack(left)
      isChanged = true
    }
    const now = clock.now()
    this.#lookAt = seconds(now + Math.max(LOOK_PAUSE, PAUSES_PER_LOOK * (now - begun)))
    return isChanged
  }

  #takeBack({ numbered }: Left): void {
    const { datum } = numbered
    const now = this.#parts.clock.now()
    this.#left.delete(datum)
    // One that goes on changing has its patience once, or it would hold the run for ever.
    const since = this.#backSince.get(datum) ?? now
    if (this.#isLast) this.#backSince.set(datum, since)
    this.#aside.set(datum, { numbered, since, pause: FIRST_PAUSE, next: now, seen: undefined })
  }

  /** Not needed any more. */
  forget(datum: number): void {
    this.#left.delete(datum)
    if (this.#aside.delete(datum)) this.#relieved()
  }

  /** @param port what makes tensors of items at present */
  async read(numbered: NumberedItem, port: Port): Promise<Reading> {
    try {
      const tensors = await port.read(numbered.item)
      this.forget(numbered.datum)
      return { kind: 'tensors', tensors }
    } catch (error) {
      if (error instanceof ItemUnavailable) return this.#unavailable(numbered, port, error.message)
      if (error instanceof UserError) return this.#bad(numbered, port, error.message)
      throw error
    }
  }

  async #unavailable(numbered: NumberedItem, port: Port, because: string): Promise<Reading> {
    const aside = this.#putAside(numbered, undefined)
    if (this.#isOver(aside, 1)) {
      // It may be there, and not to be read: then it is tried again when it looks different.
      const stamp = await stampOf(numbered, port)
      if (!this.#parts.isLive) this.#left.set(numbered.datum, { numbered, stamp, isGivenUp: true })
      return this.#giveUp(numbered, because)
    }
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
      if (!(error instanceof ItemUnavailable)) throw error
      return this.#unavailable(numbered, port, error.message)
    }
    if (stamp.isFinal) {
      this.forget(numbered.datum)
      return { kind: 'bad', because, stamp: undefined }
    }
    const now = clock.now()
    const since = before?.stamp.id === stamp.id ? before.since : now
    const needed = wallTime() - stamp.modified > OLD ? SETTLED_OLD : SETTLED
    if (now - since >= needed) {
      this.forget(numbered.datum)
      return { kind: 'bad', because, stamp: stamp.id }
    }
    const aside = this.#putAside(numbered, { stamp, since }, seconds(since + needed))
    if (this.#isOver(aside, PATIENCE_WHILE_IT_CHANGES)) {
      if (!this.#parts.isLive) this.#neverWhole++
      return this.#giveUp(numbered, `${because}; and it keeps changing`)
    }
    return { kind: 'later' }
  }

  #giveUp({ datum }: NumberedItem, because: string): Reading {
    this.#aside.delete(datum)
    if (this.#aside.size === 0) this.#hasComplained = false // though not all could be read
    return { kind: 'givenUp', because }
  }

  #isOver({ since }: Aside, times: number): boolean {
    return this.#isLast && this.#parts.clock.now() - since >= times * this.#parts.patience
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
    this.#parts.say(text, 'warn')
  }

  #relieved(): void {
    if (this.#aside.size > 0 || !this.#hasComplained) return
    this.#hasComplained = false
    if (this.givenUp === 0) this.#parts.say('all items could be read again')
  }
}

/** @returns undefined while the item is away */
const stampOf = async ({ item }: NumberedItem, port: Pick<DataPort, 'stamp'>): Promise<string | undefined> => {
  try {
    return (await port.stamp(item)).id
  } catch (error) {
    if (error instanceof ItemUnavailable) return undefined
    throw error
  }
}
