import type { Seconds } from '../../core/units.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import { harmless } from '../harmless.ts'
import { LiveScreen } from './live-screen.ts'

export interface LiveView {
  readonly interval: Seconds
  /** One line a text, and nothing between. @default false */
  readonly plain?: boolean
  /** So many texts, and it ends. @default until it is ended */
  readonly count?: number
  /** @returns what is to be seen; what it throws is shown in its place, unless it is the first */
  readonly show: () => Promise<string>
  /** Keys besides q, for the last line, and what they do; the text is made anew then. */
  readonly keys?: { readonly help: () => string; readonly pressed: (key: string) => boolean }
}

const CTRL_C = '\x03'
const INTERRUPTED = 130

/** Shows a text anew again and again, until q or Ctrl-C; the terminal then is as it was before. */
export const showLive = async ({ interval, plain = false, count = Number.POSITIVE_INFINITY, show, keys }: LiveView) => {
  const over = new AbortController()
  let wake = (): void => {}
  const end = (code: number): void => {
    process.exitCode = code
    over.abort()
    wake()
  }
  const interrupted = (): void => end(INTERRUPTED)
  const redraw = (): void => wake()
  using screen = new LiveScreen(process.stdout)
  const restore = (): void => screen[Symbol.dispose]()
  const stopKeys = readKeys(key => {
    if (key === CTRL_C) interrupted()
    else if (key === 'q') end(0)
    else if (keys?.pressed(key) === true) wake()
  })
  process.once('exit', restore)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupted)
  process.stdout.on('resize', redraw).once('error', interrupted) // whoever reads has gone
  try {
    let last: string | undefined
    for (let shown = 0; !over.signal.aborted && shown < count; shown++) {
      const text = await shownText(show, last)
      last = text.shown
      if (over.signal.aborted) break
      if (plain) process.stdout.write(`${last}\n`)
      else screen.draw(text.told, ['q quit', ...(keys === undefined ? [] : [keys.help()])].join('   '))
      if (shown + 1 < count) await pause(interval, over.signal, go => (wake = go))
    }
  } finally {
    stopKeys()
    process.off('exit', restore)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, interrupted)
    process.stdout.off('resize', redraw).off('error', interrupted)
  }
}

/** Where nothing can be told now, what was told last stays, and why stands above it. */
const shownText = async (show: () => Promise<string>, last: string | undefined) => {
  try {
    const shown = await show()
    return { shown, told: shown }
  } catch (error) {
    if (last === undefined) throw error
    const because = harmless(error instanceof Error ? error.message : String(error))
    return { shown: last, told: `not new: ${because}\n\n${last}` }
  }
}

const pause = async (interval: Seconds, signal: AbortSignal, wakes: (go: () => void) => void): Promise<void> => {
  const woken = new AbortController()
  wakes(() => woken.abort())
  if (!signal.aborted) await systemClock.sleep(interval, { signal: woken.signal }).catch(() => {})
  wakes(() => {})
}

/** One by one as they are pressed, where there is a keyboard. @returns what ends it */
const readKeys = (pressed: (key: string) => void): (() => void) => {
  const { stdin, stdout } = process
  if (stdin.isTTY !== true || stdout.isTTY !== true) return () => {}
  const heard = (bytes: Buffer): void => {
    for (const key of bytes.toString('utf8')) pressed(key)
  }
  stdin.setRawMode(true)
  stdin.on('data', heard).resume()
  return () => {
    stdin.off('data', heard)
    stdin.setRawMode(false)
    stdin.pause()
    stdin.unref()
  }
}
