import type { Seconds } from '../core/units.ts'

/** So much at once, and so much more each second. */
interface Budget {
  readonly burst: number
  readonly perSecond: number
  /** For people: what it is spent on. */
  readonly of: string
}

/** What one peer may ask of a device by words alone. Several times what an honest one of a large cluster needs. docs/security.md lists them. */
export const PEER_BUDGETS = {
  stateBytes: { burst: 4 * 2 ** 20, perSecond: 512 * 2 ** 10, of: 'bytes of states' },
  states: { burst: 200, perSecond: 50, of: 'states' },
  requests: { burst: 400, perSecond: 100, of: 'requests' },
  addresses: { burst: 4096, perSecond: 50, of: 'addresses of devices' },
  dials: { burst: 128, perSecond: 1, of: 'devices that do not answer where it says' },
  /** Of one host, whoever says that devices are there. */
  dialsToHost: { burst: 32, perSecond: 0.5, of: 'devices that do not answer there' },
  models: { burst: 64, perSecond: 1 / 60, of: 'models' },
  modelBlocks: { burst: 2048, perSecond: 0.1, of: 'blocks of models' },
  lines: { burst: 30, perSecond: 0.2, of: 'lines in the log' }
} as const satisfies Record<string, Budget>

export type BudgetKind = keyof typeof PEER_BUDGETS

export interface PeerBudgetsParts {
  readonly now: () => Seconds
  /** A peer is over a budget: told at most once a minute for each of them. */
  readonly exceeded: (peer: string, because: string) => void
}

/** Spenders that are remembered, each with one budget: whoever is forgotten begins anew. */
const MOST_ACCOUNTS = 4096
const TELL_AGAIN = 60

interface Account {
  left: number
  at: number
  toldAt: number
}

/** What each peer has left of its budgets. What is beyond them is not done, and the peer is named. */
export class PeerBudgets {
  readonly #parts: PeerBudgetsParts
  readonly #accounts = new Map<string, Account>()

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
    this.#tell(peer, kind, account)
    return false
  }

  /** What was taken cost nobody anything. */
  givesBack(peer: string, kind: BudgetKind, amount = 1): void {
    const account = this.#account(peer, kind)
    account.left = Math.min(PEER_BUDGETS[kind].burst, account.left + amount)
  }

  #account(peer: string, kind: BudgetKind): Account {
    const { burst, perSecond } = PEER_BUDGETS[kind]
    const key = `${kind} ${peer}`
    const now = this.#parts.now()
    const account = this.#accounts.get(key) ?? { left: burst, at: now, toldAt: Number.NEGATIVE_INFINITY }
    account.left = Math.min(burst, account.left + (now - account.at) * perSecond)
    account.at = now
    // The one that was asked for longest ago makes room.
    this.#accounts.delete(key)
    this.#accounts.set(key, account)
    const [oldest] = this.#accounts.keys()
    if (this.#accounts.size > MOST_ACCOUNTS) this.#accounts.delete(oldest!)
    return account
  }

  #tell(peer: string, kind: BudgetKind, account: Account): void {
    if (account.at - account.toldAt < TELL_AGAIN) return
    account.toldAt = account.at
    const { burst, perSecond, of } = PEER_BUDGETS[kind]
    const rate = perSecond >= 1 ? `${perSecond} a second` : `${Math.round(perSecond * 3600)} an hour`
    this.#parts.exceeded(peer, `more than ${burst} ${of} at once and ${rate} after that; what is beyond is not heard`)
  }
}
