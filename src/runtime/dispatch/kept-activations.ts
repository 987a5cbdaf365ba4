import type { DeviceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { WireTensor } from '../ports/wire-tensor.ts'

/** Which dispatch of which datum, and whose. */
export interface KeptOf {
  readonly home: DeviceId
  readonly source: string
  readonly datum: number
  readonly attempt: number
  /** As it came with it: whoever was not given the datum does not know it. */
  readonly token?: Uint8Array | undefined
}

/** That something came to this device, or left it. */
export interface KeptTrace {
  readonly way: 'from' | 'to'
  readonly peer: DeviceId
  /** Blocks that were done then. */
  readonly done: number
  /** As it travelled; undefined: there was no room for it. */
  readonly tensors: readonly WireTensor[] | undefined
  /** Its place among all that is kept, from 1. */
  readonly turn: number
}

export interface KeptActivation extends KeptTrace {
  readonly tensors: readonly WireTensor[]
}

interface Entry extends KeptTrace {
  readonly key: string
  readonly at: Seconds
  tensors: readonly WireTensor[] | undefined
  bytes: number
}

/** In all, so that who looks after its data costs nobody more than that. */
const MOST_BYTES = 64 * 2 ** 20
/** Longer than a datum takes on its way home, and longer than anybody takes to ask. */
const KEPT_FOR: Seconds = seconds(30)
/** Of one datum: whatever goes round in circles. */
const MOST_OF_ONE = 64
/** Of which at least it is known whence they came. */
const MOST_ENTRIES = 32_768

/**
 * What came to a device of data whose home may ask to be shown it again, and where a home sent its own. As much as fits, for a
 * while; of whoever sent most the oldest goes first.
 */
export class KeptActivations {
  readonly #now: () => Seconds
  readonly #mostBytes: number
  /** Oldest first. */
  readonly #entries = new Set<Entry>()
  readonly #byDatum = new Map<string, Entry[]>()
  readonly #ofPeer = new Map<DeviceId, number>()
  #bytes = 0
  #turns = 0

  constructor(now: () => Seconds, mostBytes = MOST_BYTES) {
    this.#now = now
    this.#mostBytes = mostBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The tensors are copied: whoever has them may give them away. */
  keep(of: KeptOf, way: KeptActivation['way'], peer: DeviceId, done: number, tensors: readonly WireTensor[]): void {
    this.expire()
    const size = tensors.reduce((sum, { data }) => sum + data.byteLength, 0)
    const key = keyOf(of)
    const ofDatum = this.#byDatum.get(key) ?? []
    if (size > this.#mostBytes || ofDatum.length >= MOST_OF_ONE) return
    while (this.#bytes + size > this.#mostBytes) this.#empty(this.#oldestOfWhoHasMost())
    if (this.#entries.size >= MOST_ENTRIES) for (const oldest of [...this.#entries].slice(0, 1)) this.#drop(oldest)
    const copies = tensors.map(copied)
    const entry = { key, way, peer, done, tensors: copies, turn: ++this.#turns, at: this.#now(), bytes: size }
    this.#entries.add(entry)
    this.#byDatum.set(key, [...(this.#byDatum.get(key) ?? []), entry])
    this.#bytes += size
    this.#ofPeer.set(peer, (this.#ofPeer.get(peer) ?? 0) + size)
  }

  /** So that who sends much displaces its own. */
  #oldestOfWhoHasMost(): Entry {
    const most = Math.max(...this.#ofPeer.values())
    for (const entry of this.#entries)
      if (entry.tensors !== undefined && this.#ofPeer.get(entry.peer) === most) return entry
    throw new Error('what is kept is of nobody')
  }

  /** The latest that went this way, before that turn. @param peer from or to this one alone */
  latest(
    of: KeptOf,
    way: KeptActivation['way'],
    before: number = Number.POSITIVE_INFINITY,
    peer?: DeviceId
  ): KeptActivation | undefined {
    const trace = this.trace(of, way, before, peer)
    return trace?.tensors === undefined ? undefined : { ...trace, tensors: trace.tensors }
  }

  /** The same, where there was no room for what it was, too. */
  trace(
    of: KeptOf,
    way: KeptActivation['way'],
    before: number = Number.POSITIVE_INFINITY,
    peer?: DeviceId
  ): KeptTrace | undefined {
    return this.#byDatum
      .get(keyOf(of))
      ?.findLast(one => one.way === way && one.turn < before && (peer === undefined || one.peer === peer))
  }

  /** To be called often. */
  expire(): void {
    const since = this.#now() - KEPT_FOR
    for (const oldest of this.#entries) {
      if (oldest.at >= since) return
      this.#drop(oldest)
    }
  }

  /** Whence it came stays. */
  #empty(entry: Entry): void {
    this.#bytes -= entry.bytes
    const left = (this.#ofPeer.get(entry.peer) ?? 0) - entry.bytes
    if (left <= 0) this.#ofPeer.delete(entry.peer)
    else this.#ofPeer.set(entry.peer, left)
    entry.tensors = undefined
    entry.bytes = 0
  }

  #drop(entry: Entry): void {
    this.#empty(entry)
    this.#entries.delete(entry)
    const others = this.#byDatum.get(entry.key)!.filter(one => one !== entry)
    if (others.length === 0) this.#byDatum.delete(entry.key)
    else this.#byDatum.set(entry.key, others)
  }
}

const keyOf = ({ home, source, datum, attempt, token = NO_TOKEN }: KeptOf): string =>
  `${home} ${datum} ${attempt} ${token.join()} ${source}`

const NO_TOKEN = new Uint8Array()

/** Beside the tensor, in a buffer of its own. */
export const copied = <T extends WireTensor>(tensor: T): T => {
  const { isLent: _, ...own } = tensor as T & { isLent?: true }
  return { ...own, data: tensor.data.slice() } as T
}
