import { blockRanges } from '../../core/block-ranges.ts'
import { formatEpoch } from '../../core/epoch.ts'
import { formatBytes, formatSeconds } from '../../core/format-quantity.ts'
import { foldText, WIDTH } from '../../report/fold-text.ts'
import { textTable } from '../../report/text-table.ts'
import type { ClusterStatus } from '../../runtime/device/device-status.ts'
import { notesOf } from './notes-of.ts'
import { reasonsOf } from './reasons-of.ts'

/** So many columns have room for two numbers side by side. */
const ROOMY = 100

type Device = ClusterStatus['devices'][number]
type Source = ClusterStatus['sources'][number]

/** The cluster for people, in so many columns: who is there and does what, and why what stands still stands still. */
export const describeStatus = (status: ClusterStatus, width: number = WIDTH): string => {
  const { devices, sources, placement, losses, planner, audits } = status
  const emulated = devices.some(device => device.emulated) ? ' (emulated speeds or links)' : ''
  const ready = placement.ready ? '' : ' (not ready)'
  const reasons = [...reasonsOf(status), ...notesOf(status)]
  return [
    foldText(
      `${devices.length} devices${emulated}, placement ${formatEpoch(placement.epoch)}${ready} by ${planner ?? 'nobody'}`,
      '  ',
      width
    ),
    '',
    deviceTable(devices, width),
    ...(sources.length === 0 ? [] : ['', sourceTable(sources, width)]),
    ...(reasons.length === 0 ? [] : ['', ...reasons.map(reason => foldText(reason, '  ', width))]),
    '',
    foldText(
      `lost ${losses.lost}, duplicates ${losses.duplicates}, sent again ${losses.resent}, devices lost ${losses.devicesLost}`,
      '',
      width
    ),
    ...(audits.done + audits.impossible === 0 ? [] : [describeAudits(audits)])
  ].join('\n')
}

const right = (title: string) => ({ title, align: 'right' as const })

const deviceTable = (devices: readonly Device[], width: number): string =>
  textTable(
    [
      { title: 'device' },
      right('speed'),
      right('busy'),
      right('queue'),
      right('blocks/s'),
      right('sent'),
      { title: 'carries' }
    ],
    devices.map(device => {
      const carried = Object.entries(device.models).map(
        ([model, { blocks, residentBytes }]) => `${model} ${blockRanges(blocks)} (${formatBytes(residentBytes)})`
      )
      const memory = device.memory === null ? '' : ` of ${formatBytes(device.memory)}`
      return [
        device.name,
        device.lanes > 1 ? `${device.lanes} x ${device.speed.toFixed(2)}` : device.speed.toFixed(2),
        `${(100 * device.busy).toFixed(0)} %`,
        `${device.queue.lane}+${device.queue.links}`,
        device.rate.toFixed(1),
        formatBytes(device.bytesSent),
        `${carried.join(', ') || 'nothing'}${memory}`
      ]
    }),
    width
  )

const sourceTable = (sources: readonly Source[], width: number): string =>
  textTable(
    [
      { title: 'source' },
      { title: 'state' },
      right('done'),
      right('in\nflight'),
      right('failed'),
      right('rate'),
      right('mean'),
      right('p95')
    ],
    sources.map(s => [
      `${s.name} on ${s.device}`,
      s.state,
      `${s.completed} of${width < ROOMY ? '\n' : ' '}${s.available}`,
      String(s.inFlight),
      String(s.failed),
      `${s.rate.toFixed(1)}/s`,
      time(s.inferenceTime.mean),
      time(s.inferenceTime.p95)
    ]),
    width
  )

const time = (measured: number | null): string => (measured === null ? '-' : formatSeconds(measured))

const describeAudits = ({ done, deviations, impossible }: ClusterStatus['audits']): string =>
  `audited ${done}, of which ${deviations} deviated${impossible === 0 ? '' : `; ${impossible} more that nobody else could compute`}`
