import { formatBytes, formatSeconds } from '../../core/format-quantity.ts'
import { foldText } from '../../report/fold-text.ts'
import { textTable } from '../../report/text-table.ts'
import type { ClusterStatus } from '../../runtime/device/device-status.ts'
import { reasonsOf } from '../status/reasons-of.ts'
import type { SortedBy } from './sorting.ts'

type Device = ClusterStatus['devices'][number]
type Source = ClusterStatus['sources'][number]

const BAR = 12
const right = (title: string) => ({ title, align: 'right' as const })

/** Devices and sources, those first that use most, in 80 columns. */
export const describeTop = (status: ClusterStatus, by: SortedBy): string => {
  const { devices, sources } = status
  const results = sources.reduce((sum, { rate }) => sum + rate, 0)
  const underWay = sources.reduce((sum, { inFlight }) => sum + inFlight, 0)
  const blocks = devices.reduce((sum, { rate }) => sum + rate, 0)
  const reasons = reasonsOf(status)
  return [
    foldText(
      `${counted(devices.length, 'device')}, ${counted(sources.length, 'source')}: ${results.toFixed(1)} results/s, ${blocks.toFixed(1)} blocks/s, ${underWay} under way`
    ),
    ...(reasons.length === 0 ? [] : [`${counted(reasons.length, 'thing')} to look at: tributary status`]),
    '',
    deviceTable([...devices].sort(deviceOrders[by])),
    ...(sources.length === 0 ? [] : ['', sourceTable([...sources].sort(sourceOrders[by]))])
  ].join('\n')
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => a.name.localeCompare(b.name)
const queued = ({ queue }: Device): number => queue.lane + queue.links + queue.waiting

const deviceOrders: Readonly<Record<SortedBy, (a: Device, b: Device) => number>> = {
  use: (a, b) => b.busy - a.busy || b.rate - a.rate || byName(a, b),
  waiting: (a, b) => queued(b) - queued(a) || byName(a, b),
  name: byName
}

const sourceOrders: Readonly<Record<SortedBy, (a: Source, b: Source) => number>> = {
  use: (a, b) => b.rate - a.rate || byName(a, b),
  waiting: (a, b) => b.inFlight - a.inFlight || byName(a, b),
  name: byName
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

const deviceTable = (devices: readonly Device[]): string =>
  textTable(
    [
      ...[{ title: 'device' }, { title: 'busy' }, right('')],
      ...['lane', 'links', 'blocks/s', 'sent', 'weights', 'process'].map(right)
    ],
    devices.map(device => {
      const { name, busy, queue, rate, bytesSent, models, rss } = device
      const carried = Object.values(models).reduce((sum, { residentBytes }) => sum + residentBytes, 0)
      const numbers = [String(queue.lane), String(queue.links), rate.toFixed(1), formatBytes(bytesSent)]
      return [name, bar(busy), `${(100 * busy).toFixed(0)} %`, ...numbers, formatBytes(carried), formatBytes(rss)]
    })
  )

const bar = (share: number): string => {
  const full = Math.round(BAR * Math.max(0, Math.min(1, share)))
  return '█'.repeat(full) + '░'.repeat(BAR - full)
}

const sourceTable = (sources: readonly Source[]): string =>
  textTable(
    [{ title: 'source' }, { title: 'state' }, ...['results/s', 'under way', 'done', 'lost', 'mean', 'p95'].map(right)],
    sources.map(({ name, device, state, rate, inFlight, completed, failed, dropped, inferenceTime }) => [
      `${name} on ${device}`,
      state,
      ...[rate.toFixed(1), String(inFlight), String(completed), String(failed + dropped)],
      ...[time(inferenceTime.mean), time(inferenceTime.p95)]
    ])
  )

const time = (measured: number | null): string => (measured === null ? '-' : formatSeconds(measured))
