import type { LineFacts, LineKind } from '../runtime/device/line-facts.ts'

/** A line of the log, as a page shows it. */
export interface RecentLine {
  /** Larger for every later one. */
  readonly number: number
  /** Since 1970, in seconds. */
  readonly time: number
  readonly level: string
  readonly text: string
  /** What it tells of, as in the log; absent: what this device did. */
  readonly kind?: LineKind
  /** The device that it is about; absent: the one whose log it is. */
  readonly device?: string
}

const MOST_LINES = 200
const MOST_CHARACTERS = 500

/** Whoever looks at a page need not be let into the cluster. */
const INVITE = /tributary[12]:[\w+/=-]+/g

const shown = (text: string): string => text.replace(INVITE, '(an invite)').slice(0, MOST_CHARACTERS)

/** The end of a log, kept in memory for whoever looks. */
export class RecentLines {
  readonly #time: () => number
  #lines: RecentLine[] = []
  #next = 1

  /** @param time since 1970, in seconds */
  constructor(time: () => number) {
    this.#time = time
  }

  add(text: string, level = 'info', { kind, device }: LineFacts = {}): void {
    const facts = { ...(kind === undefined ? {} : { kind }), ...(device === undefined ? {} : { device }) }
    this.#lines.push({ number: this.#next++, time: this.#time(), level, text: shown(text), ...facts })
    if (this.#lines.length > 2 * MOST_LINES) this.#lines = this.#lines.slice(-MOST_LINES)
  }

  /** Those after a number, the latest of them. */
  since(number: number): readonly RecentLine[] {
    return this.#lines.slice(-MOST_LINES).filter(line => line.number > number)
  }
}
