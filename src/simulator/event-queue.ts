import { type Seconds, seconds } from '../core/units.ts'

/** What goes on by itself, for as long as the run does; or what the run is for. */
type Kind = 0 | 1
const BY_ITSELF: Kind = 0
const WORK: Kind = 1

/**
 * Events in a total order: time, then the order in which they were scheduled. A binary heap over parallel arrays: no
 * object is made for an event but its action.
 */
export class EventQueue {
  #at = new Float64Array(1024)
  #seq = new Float64Array(1024)
  #kinds = new Uint8Array(1024)
  #actions: ((() => void) | undefined)[] = []
  #size = 0
  #nextSeq = 0
  #now = 0
  #processed = 0
  #work = 0
  #workedAt = 0

  get now(): Seconds {
    return seconds(this.#now)
  }

  /** Events run so far. */
  get processed(): number {
    return this.#processed
  }

  /** Events to come of `scheduleWork`. */
  get work(): number {
    return this.#work
  }

  /** When the last of them ran; 0 where none did. */
  get workedAt(): Seconds {
    return seconds(this.#workedAt)
  }

  /** Run `action` after `delay`. @throws RangeError if `delay` is negative or not a number */
  schedule(delay: number, action: () => void): void {
    this.#add(delay, action, BY_ITSELF)
  }

  /** As `schedule`, for what a run is not over without. */
  scheduleWork(delay: number, action: () => void): void {
    this.#add(delay, action, WORK)
    this.#work++
  }

  #add(delay: number, action: () => void, kind: Kind): void {
    if (!(delay >= 0)) throw new RangeError(`delay must be >= 0 s, got ${delay} at t=${this.#now} s`)
    if (this.#size === this.#at.length) this.#grow()
    this.#place(this.#size++, this.#now + delay, this.#nextSeq++, kind, action)
  }

  /** Run the earliest event. @returns false when there is none */
  step(): boolean {
    if (this.#size === 0) return false
    const action = this.#actions[0]!
    this.#now = this.#at[0]!
    this.#processed++
    if (this.#kinds[0] === WORK) {
      this.#work--
      this.#workedAt = this.#now
    }
    this.#removeFirst()
    action()
    return true
  }

  #removeFirst(): void {
    const last = --this.#size
    const at = this.#at[last]!
    const seq = this.#seq[last]!
    const kind = this.#kinds[last] as Kind
    const action = this.#actions[last]
    this.#actions[last] = undefined
    if (last > 0) this.#sink(at, seq, kind, action)
  }

  /** Move the hole at the end up to where (at, seq) belongs, and fill it. */
  #place(hole: number, at: number, seq: number, kind: Kind, action: () => void): void {
    let i = hole
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (this.#at[parent]! < at || (this.#at[parent]! === at && this.#seq[parent]! < seq)) break
      this.#move(parent, i)
      i = parent
    }
    this.#set(i, at, seq, kind, action)
  }

  /** Move the hole at the root down to where (at, seq) belongs, and fill it. */
  #sink(at: number, seq: number, kind: Kind, action: (() => void) | undefined): void {
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= this.#size) break
      if (child + 1 < this.#size && this.#before(child + 1, child)) child++
      if (at < this.#at[child]! || (at === this.#at[child]! && seq < this.#seq[child]!)) break
      this.#move(child, i)
      i = child
    }
    this.#set(i, at, seq, kind, action)
  }

  #before(i: number, j: number): boolean {
    return this.#at[i]! < this.#at[j]! || (this.#at[i]! === this.#at[j]! && this.#seq[i]! < this.#seq[j]!)
  }

  #move(from: number, to: number): void {
    this.#set(to, this.#at[from]!, this.#seq[from]!, this.#kinds[from] as Kind, this.#actions[from])
  }

  #set(i: number, at: number, seq: number, kind: Kind, action: (() => void) | undefined): void {
    this.#at[i] = at
    this.#seq[i] = seq
    this.#kinds[i] = kind
    this.#actions[i] = action
  }

  #grow(): void {
    const { length } = this.#at
    const [at, seq, kinds] = [this.#at, this.#seq, this.#kinds]
    this.#at = new Float64Array(2 * length)
    this.#at.set(at)
    this.#seq = new Float64Array(2 * length)
    this.#seq.set(seq)
    this.#kinds = new Uint8Array(2 * length)
    this.#kinds.set(kinds)
  }
}
