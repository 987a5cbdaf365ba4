import { readFile } from 'node:fs/promises'
import type { Clock } from '../../core/clock.ts'
import { type Seconds, seconds } from '../../core/units.ts'

/** How often a sink is looked at: what a round's time is told to. */
const LOOK: Seconds = seconds(0.02)

interface Settling {
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Resolves when a sink has a line of each of these items, whatever it says of them. Rejects when `signal` aborts. */
export const untilSettled = async (
  file: string,
  items: readonly string[],
  { clock, signal }: Settling
): Promise<void> => {
  const left = new Set(items)
  let seen = 0
  for (;;) {
    const text = await readFile(file, 'utf8').catch(() => '')
    const whole = text.lastIndexOf('\n') + 1 // a line may be half written
    if (whole > seen) for (const item of itemsIn(text.slice(seen, whole))) left.delete(item)
    seen = Math.max(seen, whole)
    if (left.size === 0) return
    await clock.sleep(LOOK, { signal })
  }
}

const itemsIn = (text: string): readonly string[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => (JSON.parse(line) as { readonly item: string }).item)
