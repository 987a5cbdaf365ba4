import { formatBytes } from '../core/format-quantity.ts'
import type { DeviceId } from '../core/ids.ts'
import { type Bytes, bytes, type Seconds, seconds } from '../core/units.ts'

/** A task of another device that is here: who sent it, whose datum it is, what its activation takes. */
export interface TakenTask {
  readonly from: DeviceId
  readonly home: DeviceId
  readonly bytes: Bytes
}

interface Amount {
  tasks: number
  bytes: number
}

interface Taken {
  readonly all: Amount
  readonly ofHomes: Map<DeviceId, Amount>
}

/** Of the data of one home that one device sent. Several windows of honest sources: who is refused sends elsewhere, or later. */
export const MOST_OF_HOME: Readonly<Amount> = { tasks: 2048, bytes: 256 * 2 ** 20 }
/** Of all that one device sent: it may say that its own are of many homes. */
export const MOST_OF_SENDER: Readonly<Amount> = { tasks: 4096, bytes: 512 * 2 ** 20 }
/** Where there seems to be no room, what is here is counted at most so often. */
const COUNT_AGAIN: Seconds = seconds(0.1)

/**
 * How many tasks of others a device has, and takes. What was taken is added up, and only where that comes to a bound what is really
 * here is counted: no way on which a task leaves can be forgotten.
 */
export class TaskRoom {
  readonly #now: () => Seconds
  readonly #here: () => Iterable<TakenTask>
  #ofSenders = new Map<DeviceId, Taken>()
  #countedAt = Number.NEGATIVE_INFINITY

  constructor(parts: { readonly now: () => Seconds; readonly here: () => Iterable<TakenTask> }) {
    this.#now = parts.now
    this.#here = parts.here
  }

  /** @returns why it is not taken, else undefined; then it counts as taken */
  refusal(task: TakenTask): string | undefined {
    if (this.#lack(task) !== undefined) this.#count()
    const lack = this.#lack(task)
    if (lack === undefined) this.#add(task)
    return lack
  }

  #lack({ from, home, bytes }: TakenTask): string | undefined {
    const taken = this.#ofSenders.get(from)
    if (taken === undefined) return undefined
    if (isBeyond(taken.ofHomes.get(home), bytes, MOST_OF_HOME)) return wordsOf('of that home', MOST_OF_HOME)
    if (isBeyond(taken.all, bytes, MOST_OF_SENDER)) return wordsOf('of yours', MOST_OF_SENDER)
    return undefined
  }

  #count(): void {
    const now = this.#now()
    if (now - this.#countedAt < COUNT_AGAIN) return
    this.#countedAt = now
    this.#ofSenders = new Map()
    for (const task of this.#here()) this.#add(task)
  }

  #add({ from, home, bytes }: TakenTask): void {
    let taken = this.#ofSenders.get(from)
    if (taken === undefined) {
      taken = { all: { tasks: 0, bytes: 0 }, ofHomes: new Map() }
      this.#ofSenders.set(from, taken)
    }
    let ofHome = taken.ofHomes.get(home)
    if (ofHome === undefined) {
      ofHome = { tasks: 0, bytes: 0 }
      taken.ofHomes.set(home, ofHome)
    }
    for (const amount of [taken.all, ofHome]) {
      amount.tasks++
      amount.bytes += bytes
    }
  }
}

/** One is taken however large it is. */
const isBeyond = (taken: Amount | undefined, bytes: Bytes, most: Amount): boolean =>
  taken !== undefined && taken.tasks > 0 && (taken.tasks >= most.tasks || taken.bytes + bytes > most.bytes)

const wordsOf = (whose: string, { tasks, bytes: most }: Amount): string =>
  `there is no room for more tasks ${whose}: at most ${tasks}, of ${formatBytes(bytes(most))}`
