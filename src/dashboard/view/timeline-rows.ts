import { laneName } from '../../core/lane-name.ts'
import { rowsOfSpans } from '../../core/rows-of-spans.ts'
import type { ClusterStep } from '../../runtime/device/steps/cluster-steps.ts'
import { datumKey } from './datum-key.ts'

/** A block that ran, or an activation on its way. Seconds of one clock. */
export interface Bar {
  readonly key: string
  readonly source: string
  readonly start: number
  readonly end: number
  /** In it, where there is room. */
  readonly label: string
  /** The whole of it. */
  readonly words: string
}

export interface Row {
  readonly kind: 'lane' | 'link'
  readonly name: string
  /** By their start. */
  readonly bars: readonly Bar[]
}

/**
 * A row for each device, more where it ran several blocks at once, and behind them one for each link on which it sent something.
 * @param devices in the order of their rows
 */
export const timelineRows = (
  devices: readonly { readonly id: string; readonly name: string }[],
  steps: readonly ClusterStep[]
): readonly Row[] => {
  const lanes = new Map(devices.map(({ id }) => [id, [] as Bar[]]))
  const links = new Map(devices.map(({ id }) => [id, new Map<string, Bar[]>()]))
  for (const step of steps) {
    if (step.did === 'ran') lanes.get(step.device)?.push(barOf(step, `${step.block}`, `block ${step.block}`))
    if (step.did !== 'sent') continue
    const own = links.get(step.device)
    const bars = own?.get(step.to) ?? []
    own?.set(step.to, bars)
    bars.push(barOf(step, '', `activation ${step.activation} to ${step.to}`))
  }
  return devices.flatMap(({ id, name }): Row[] => [
    ...lanesOf(lanes.get(id)!).map((bars, n): Row => ({ kind: 'lane', name: laneName(name, n), bars: inOrder(bars) })),
    ...[...links.get(id)!]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([to, bars]): Row => ({ kind: 'link', name: to, bars: inOrder(bars) }))
  ])
}

const barOf = (
  { source, datum, start, end }: Extract<ClusterStep, { did: 'ran' | 'sent' }>,
  label: string,
  words: string
): Bar => ({
  key: datumKey({ source, datum }),
  source,
  start,
  end,
  label,
  words: `${source}, datum ${datum}: ${words}`
})

/** @returns at least one */
const lanesOf = (bars: readonly Bar[]): readonly Bar[][] => {
  const lanes: Bar[][] = [[]]
  const numbers = rowsOfSpans(bars, () => '')
  for (const [i, bar] of bars.entries()) {
    const own = lanes[numbers[i]!] ?? []
    lanes[numbers[i]!] = own
    own.push(bar)
  }
  return lanes
}

const inOrder = (bars: Bar[]): readonly Bar[] => bars.sort((a, b) => a.start - b.start)
