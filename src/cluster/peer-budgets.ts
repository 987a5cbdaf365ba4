import { type Seconds, seconds } from '../core/units.ts'

/** So much at once, and so much more each second. */
interface Budget {
  readonly burst: number
  readonly perSecond: number
  /** For people: what it is spent on. */
  readonly of: string
  /** For people: what becomes of the rest. @default it is not heard */
  readonly beyond?: string
}

/** What one peer may ask of a device by words alone. Several times what an honest one of a large cluster needs. docs/security.md lists them. */
export const PEER_BUDGETS = {
  stateBytes: { burst: 4 * 2 ** 20, perSecond: 512 * 2 ** 10, of: 'bytes of states' },
  /** Of its own states and of those that it passes on: who sends more is read more slowly. */
  gossipBytes: { burst: 16 * 2 ** 20, perSecond: 4 * 2 ** 20, of: 'bytes of gossip', beyond: 'what is beyond waits' },
  states: { burst: 200, perSecond: 50, of: 'states' },
  requests: { burst: 400, perSecond: 100, of: 'requests' },
  addresses: { burst: 4096, perSecond: 50, of: 'addresses of devices' },
  dials: { burst: 128, perSecond: 1, of: 'devices that do not answer where it says' },
  /** Of one host, whoever says that devices are there. */
  dialsToHost: { burst: 32, perSecond: 0.5, of: 'devices that do not answer there' },
  models: { burst: 64, perSecond: 1 / 60, of: 'models' },
  modelBlocks: { burst: 2048, perSecond: 0.1, of: 'blocks of models' },
  /** A certificate, a removal, a change of the key: each is verified. */
  records: { burst: 4096, perSecond: 20, of: 'words about members' },
  /** An honest device passes on only what it has verified. */
  forgeries: { burst: 8, perSecond: 0.2, of: 'forged words about members' },
  /** That it does not hear another one: that one is asked. */
  doubts: { burst: 64, perSecond: 2, of: 'words about who is silent' },
  lines: { burst: 30, perSecond: 0.2, of: 'lines in the log' },
  /** Notices and all else that is no task: one for each `BYTES_OF_WORD`. A task that is refused is several. Who sends more is read more slowly: nothing is lost. */
  words: { burst: 40_000, perSecond: 8000, of: 'notices and refused tasks', beyond: 'what is beyond waits' }
} as const satisfies Record<string, Budget>

export type BudgetKind = keyof typeof PEER_BUDGETS

/** In words of `PEER_BUDGETS.words`: it was decoded with its tensors, and answered. */
export const REFUSED_TASK = 5

/** Of a message, for one word of `PEER_BUDGETS.words`: a notice of nothing but empty entries takes 30 ns a byte to decode. */
export const BYTES_OF_WORD = 128
/** Of an answer to what was asked: few of those come, and they are long. */
export const BYTES_OF_ANSWERED_WORD = 512

/** A peer that was beyond a budget lately. */
export interface BeyondBudget {
  readonly peer: string
  readonly kind: BudgetKind
  /** So often. */
  readonly times: number
  readonly because: string
}

export interface PeerBudgetsParts {
  readonly now: () => Seconds
  /** On whose budgets it is what a peer says: of many identities that one can make. @default on its own */
  readonly payerOf?: ((peer: string) => string) | undefined
  /** A peer is over a budget: told at most once a minute for each of them. */
  readonly exceeded: (peer: string, because: string) => void
}

/** Spenders that are remembered, each with one budget: whoever is forgotten begins anew. */
const MOST_ACCOUNTS = 4096
const TELL_AGAIN = 60
/** Seconds. */
const PLACE_AGAIN = 1
/** For so many seconds a peer that was beyond a budget is spoken of. */
const LATELY = 600

interface Account {
  left: number
  at: number
  /** When it was last put behind all others. */
  placedAt: number
  toldAt: number
  /** So often there was not enough left, and when last. */
  refusals: number
  refusedAt: number
}

/** What each peer has left of its budgets. What is beyond them is not done, and the peer is named. */
export class PeerBudgets {
  readonly #parts: PeerBudgetsParts
  readonly #accounts = new Map<string, Account>()
  readonly #refusals = new Map<BudgetKind, number>()

  constructor(parts: PeerBudgetsParts) {
    this.#parts = parts
  }

  /** @returns false, taking nothing, where the peer has less left than that */
  takes(peer: string, kind: BudgetKind, amount = 1): boolean {
    const account = this.#account(peer, kind)
    if (account.left >= amount) {
      account.left -= amount
      return true
    }
    this.#refuse(this.#payerOf(peer), kind, account)
    return false
  }

  /** For what has been heard already. @returns so many seconds nothing more is to be heard: 0 while there is something left */
  spends(peer: string, kind: BudgetKind, amount: number): Seconds {
    const account = this.#account(peer, kind)
    account.left -= amount
    if (account.left >= 0) return seconds(0)
    this.#refuse(this.#payerOf(peer), kind, account)
    return seconds(-account.left / PEER_BUDGETS[kind].perSecond)
  }

  /** How often something was beyond a budget, of all peers together. */
  refusals(): ReadonlyMap<BudgetKind, number> {
    return this.#refusals
  }

  /** Peers that were beyond a budget in the last minutes, the latest first. */
  beyond(): readonly BeyondBudget[] {
    const since = this.#parts.now() - LATELY
    return [...this.#accounts]
      .filter(([, { refusals, refusedAt }]) => refusals > 0 && refusedAt >= since)
      .sort(([, a], [, b]) => b.refusedAt - a.refusedAt)
      .map(([key, { refusals: times }]) => {
        const kind = key.slice(0, key.indexOf(' ')) as BudgetKind
        return { peer: key.slice(kind.length + 1), kind, times, because: wordsOf(kind) }
      })
  }

  /** What was taken cost nobody anything. */
  givesBack(peer: string, kind: BudgetKind, amount = 1): void {
    const account = this.#account(peer, kind)
    account.left = Math.min(PEER_BUDGETS[kind].burst, account.left + amount)
  }

  #payerOf(peer: string): string {
    return this.#parts.payerOf?.(peer) ?? peer
  }

  #account(peer: string, kind: BudgetKind): Account {
    const { burst, perSecond } = PEER_BUDGETS[kind]
    const key = `${kind} ${this.#payerOf(peer)}`
    const now = this.#parts.now()
    const account = this.#accounts.get(key) ?? newAccount(burst, now)
    account.left = Math.min(burst, account.left + (now - account.at) * perSecond)
    account.at = now
    if (now - account.placedAt >= PLACE_AGAIN) this.#place(key, account)
    return account
  }

  /** The one that was asked for longest ago, to a second, makes room. */
  #place(key: string, account: Account): void {
    account.placedAt = account.at
    this.#accounts.delete(key)
    this.#accounts.set(key, account)
    if (this.#accounts.size <= MOST_ACCOUNTS) return
    const [oldest] = this.#accounts.keys()
    this.#accounts.delete(oldest!)
  }

  #refuse(peer: string, kind: BudgetKind, account: Account): void {
    account.refusals++
    account.refusedAt = account.at
    this.#refusals.set(kind, (this.#refusals.get(kind) ?? 0) + 1)
    if (account.at - account.toldAt < TELL_AGAIN) return
    account.toldAt = account.at
    this.#parts.exceeded(peer, wordsOf(kind))
  }
}

const newAccount = (left: number, at: number): Account => ({
  ...{ left, at, placedAt: Number.NEGATIVE_INFINITY, toldAt: Number.NEGATIVE_INFINITY },
  ...{ refusals: 0, refusedAt: Number.NEGATIVE_INFINITY }
})

const wordsOf = (kind: BudgetKind): string => {
  const { burst, perSecond, of, beyond = 'what is beyond is not heard' }: Budget = PEER_BUDGETS[kind]
  const rate = perSecond >= 1 ? `${perSecond} a second` : `${Math.round(perSecond * 3600)} an hour`
  return `more than ${burst} ${of} at once and ${rate} after that; ${beyond}`
}
