import type { TopLevelSpec } from 'vega-lite'
import type { Figure, ReportData } from './figure.ts'
import { CONFIG, ON_LIGHT } from './figure-style.ts'
import { finishedRuns } from './finished-runs.ts'

const MOST_DEVICES = 40
const MOST_LINKS = 15

interface Share {
  readonly policy: string
  readonly what: string
  readonly busy: number
}

/** Heat maps of how much of the run devices computed and links sent, a column for each policy. */
export const busyFigure = ({ report }: ReportData): Figure[] => {
  const runs = finishedRuns(report)
  const policies = runs.map(run => run.policy)
  const devices = runs.flatMap(run =>
    run.devices.map(({ name, busy }): Share => ({ policy: run.policy, what: name, busy }))
  )
  const links = runs.flatMap(run =>
    run.links
      .filter(({ bytes }) => bytes > 0)
      .map(({ from, to, busy }): Share => ({ policy: run.policy, what: `${from} → ${to}`, busy }))
  )
  if (devices.length === 0) return []
  const deviceRows = busiest(devices, MOST_DEVICES)
  const linkRows = busiest(links, MOST_LINKS)
  const maps = [
    heatMap('computing, % of the run', devices, inOrder(devices, deviceRows.shown), policies),
    ...(links.length === 0 ? [] : [heatMap('sending, % of the run', links, linkRows.shown, policies)])
  ]
  return [
    {
      name: 'busy',
      title: 'How busy devices and links were',
      caption: [
        'The share of the run that each device computed and each link sent; darker is busier. A policy cannot get more from a network than its busiest part allows.',
        ...(links.length === 0 ? [] : ['Links from the busiest on; a blank field sent nothing.']),
        ...(deviceRows.left > 0 ? [`${deviceRows.left} less busy devices are left out.`] : []),
        ...(linkRows.left > 0 ? [`${linkRows.left} less busy links are left out.`] : [])
      ].join(' '),
      spec: { config: CONFIG, vconcat: maps, resolve: { scale: { color: 'shared' } } } as TopLevelSpec
    }
  ]
}

const busiest = (shares: readonly Share[], most: number): { shown: string[]; left: number } => {
  const peak = new Map<string, number>()
  for (const { what, busy } of shares) peak.set(what, Math.max(peak.get(what) ?? 0, busy))
  const rows = [...peak].sort((a, b) => b[1] - a[1]).map(([what]) => what)
  return { shown: rows.slice(0, most), left: Math.max(0, rows.length - most) }
}

const inOrder = (shares: readonly Share[], rows: readonly string[]): string[] =>
  [...new Set(shares.map(({ what }) => what))].filter(what => rows.includes(what))

const heatMap = (title: string, shares: readonly Share[], rows: readonly string[], policies: readonly string[]) => ({
  title,
  data: {
    values: shares.filter(({ what }) => rows.includes(what)).map(share => ({ ...share, text: percent(share.busy) }))
  },
  width: { step: 88 },
  height: { step: 20 },
  encoding: {
    x: {
      field: 'policy',
      type: 'nominal',
      sort: policies,
      scale: { domain: policies },
      title: null,
      axis: { orient: 'top', domain: false, ticks: false }
    },
    y: {
      field: 'what',
      type: 'nominal',
      sort: rows,
      title: null,
      axis: { domain: false, ticks: false, minExtent: 120, labelLimit: 400 }
    }
  },
  layer: [
    {
      mark: { type: 'rect', stroke: 'white' },
      encoding: {
        color: {
          field: 'busy',
          type: 'quantitative',
          scale: { domain: [0, 1], range: ['#eef4fa', '#08519c'] },
          legend: null
        }
      }
    },
    {
      mark: { type: 'text', fontSize: 11 },
      encoding: {
        text: { field: 'text' },
        color: { condition: { test: 'datum.busy > 0.5', value: '#fefefe' }, value: ON_LIGHT }
      }
    }
  ]
})

const percent = (share: number): string => (share > 0 && share < 0.005 ? '< 1' : `${Math.round(100 * share)}`)
