import { type Seconds, seconds } from '../../core/units.ts'

/** Something that is to happen. */
export interface Event {
  readonly at: Seconds
  readonly seq: number
  readonly fire: () => void
  isCancelled: boolean
}

/** Immediates that are queued together: the event loop turns once for all of them, and microtasks run after each. */
const BATCH = 64

/**
 * The time of a whole simulated cluster: events in the order of their instants, then of their being planned. After each,
 * everything that can go on without time passing goes on, before the next: promises settle, in one thread, in one order.
 */
export class EventClock {
  #now: Seconds = seconds(0)
  #seq = 0
  readonly #heap: Event[] = []
  readonly #turn: (work: () => void) => void
  /** Events that have happened. */
  fired = 0

  /** @param turn does something once all that can go on now has gone on. @default the event loop's next turn */
  constructor(turn: (work: () => void) => void = setImmediate) {
    this.#turn = turn
  }

  now(): Seconds {
    return this.#now
  }

  at(instant: number, fire: () => void): Event {
    const event = { at: seconds(Math.max(instant, this.#now)), seq: this.#seq++, fire, isCancelled: false }
    push(this.#heap, event)
    return event
  }

  after(duration: number, fire: () => void): Event {
    return this.at(this.#now + duration, fire)
  }

  /** Until `isOver`, asked before each event, or nothing is left. Rejects with what an event throws. */
  run(isOver: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let hasEnded = false
      const step = (): void => {
        if (hasEnded) return
        try {
          hasEnded = isOver() || !this.#next()
        } catch (error) {
          hasEnded = true
          reject(error)
          return
        }
        if (hasEnded) resolve()
      }
      const batch = (): void => {
        for (let i = 1; i < BATCH; i++) this.#turn(step)
        this.#turn(() => {
          step()
          if (!hasEnded) batch()
        })
      }
      batch()
    })
  }

  #next(): boolean {
    for (let event = pop(this.#heap); event !== undefined; event = pop(this.#heap)) {
      if (event.isCancelled) continue
      this.#now = event.at
      this.fired++
      event.fire()
      return true
    }
    return false
  }
}

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.seq < b.seq)

const push = (heap: Event[], event: Event): void => {
  let i = heap.length
  for (; i > 0; ) {
    const parent = (i - 1) >> 1
    if (!isBefore(event, heap[parent]!)) break
    heap[i] = heap[parent]!
    i = parent
  }
  heap[i] = event
}

const pop = (heap: Event[]): Event | undefined => {
  const first = heap[0]
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return first
  let i = 0
  for (;;) {
    let child = 2 * i + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
    if (!isBefore(heap[child]!, last)) break
    heap[i] = heap[child]!
    i = child
  }
  heap[i] = last
  return first
}
