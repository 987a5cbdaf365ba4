/** What of a terminal is used; `process.stdout` is one. */
export interface ScreenOutput {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
}

/** Another screen, without a cursor; what was there before stays untouched. */
const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'
/** What lies between is shown at once, by terminals that know it; others pass it over. */
const BEGIN = '\x1b[?2026h'
const END = '\x1b[?2026l'
const HOME = '\x1b[H'
const REST_OF_LINE = '\x1b[K'
const REST_OF_SCREEN = '\x1b[J'

/**
 * Draws a text over the one before: each line is written over the old one, so nothing flickers. Where there is no terminal, one
 * text follows the other, with an empty line between.
 */
export class LiveScreen implements Disposable {
  readonly #out: ScreenOutput
  #isOn = false
  #isOver = false

  constructor(out: ScreenOutput) {
    this.#out = out
  }

  /** @param foot the last line on a terminal; nowhere else @param text without control characters */
  draw(text: string, foot: string): void {
    if (this.#isOver) return
    if (this.#out.isTTY !== true) {
      this.#out.write(`${text}\n\n`)
      return
    }
    if (!this.#isOn) this.#out.write(ENTER)
    this.#isOn = true
    const lines = this.#fitted(text.split('\n'), foot)
    const drawn = lines.map(line => line + REST_OF_LINE).join('\r\n')
    this.#out.write(`${BEGIN}${HOME}${drawn}${REST_OF_SCREEN}${END}`)
  }

  /** The terminal is as it was. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#isOn && !this.#isOver) this.#out.write(LEAVE)
    this.#isOver = true
  }

  #fitted(lines: readonly string[], foot: string): readonly string[] {
    const { columns = 80, rows = 24 } = this.#out
    const room = Math.max(1, rows - 2)
    const hidden = lines.length - room
    const kept =
      hidden > 0 ? [...lines.slice(0, room - 1), `... ${hidden + 1} more lines: make the window taller`] : lines
    return [...kept, '', foot].map(line => [...line].slice(0, columns).join(''))
  }
}
