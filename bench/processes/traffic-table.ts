import { median } from '../median.ts'
import type { Counts } from './counted-device.ts'

/** Of each device, a second; bytes. */
export interface Rates {
  readonly sent: number
  /** Of a core. */
  readonly processor: number
  readonly mostProcessor: number
  readonly resident: number
  readonly kinds: ReadonlyMap<string, { readonly messages: number; readonly bytes: number }>
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

/** Between two counts of the same devices. Means over these, as what all say is what counts. */
export const ratesBetween = (before: readonly Counts[], after: readonly Counts[]): Rates => {
  const each = (of: (counts: Counts) => number): number[] =>
    after.map((counts, n) => (of(counts) - of(before[n]!)) / ((counts.at - before[n]!.at) / 1000))
  const names = new Set(after.flatMap(({ kinds }) => Object.keys(kinds)))
  const of = (kind: string, what: 'messages' | 'bytes'): number => mean(each(({ kinds }) => kinds[kind]?.[what] ?? 0))
  const processors = each(({ processor }) => processor)
  return {
    sent: mean(each(({ sent }) => sent)),
    processor: median(processors),
    mostProcessor: Math.max(...processors),
    resident: median(after.map(({ resident }) => resident)),
    kinds: new Map(
      [...names].map(kind => [kind, { messages: of(kind, 'messages'), bytes: of(kind, 'bytes') }] as const)
    )
  }
}

const kilobytes = (size: number): string => `${(size / 1000).toFixed(2)} KB`

/** Kinds that make less than this share are not shown. */
const LEAST_SHARE = 0.002

/** For people: all, then by kinds, the largest first. What gossip brought is what was sent by it, of all together. */
export const describeRates = (what: string, { sent, processor, mostProcessor, resident, kinds }: Rates): string => {
  const shown = [...kinds]
    .sort(([, a], [, b]) => b.bytes - a.bytes)
    .filter(([, { bytes }]) => bytes > LEAST_SHARE * sent)
  const parts = shown.map(([kind, { messages, bytes }]) => `${kind} ${kilobytes(bytes)} in ${messages.toFixed(2)}`)
  return [
    `${what}, each a second: ${kilobytes(sent)} written to connections; ${(100 * processor).toFixed(2)} % of a core`,
    ` (at most ${(100 * mostProcessor).toFixed(2)} %), ${(resident / 1e6).toFixed(0)} MB resident; ${parts.join(', ')}\n`
  ].join('')
}
