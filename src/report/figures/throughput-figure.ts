import type { TopLevelSpec } from 'vega-lite'
import type { RunReport } from '../run-report.ts'
import { threeDigits } from '../three-digits.ts'
import type { Figure, ReportData } from './figure.ts'
import { COLOURS, CONFIG, INK } from './figure-style.ts'
import { finishedRuns } from './finished-runs.ts'

/** From this share of the axis on, a bar has room for its number. */
const ROOM_INSIDE = 0.15

/** Results per second under each policy, and the line that none exceeds in the long run. */
export const throughputFigure = ({ report }: ReportData): Figure[] => {
  const runs = finishedRuns(report)
  if (runs.length === 0) return []
  const limit = limitOf(report)
  const end = 1.05 * Math.max(...runs.map(run => run.throughput), limit ?? 0, Number.MIN_VALUE)
  const values = runs.map(({ policy, throughput: rate }) => {
    const share = limit === undefined ? '' : `  (${Math.round((100 * rate) / limit)} % of the bound)`
    return {
      policy,
      rate,
      text: `${threeDigits(rate)}${share}`,
      inside: rate > (limit === undefined ? 1 : 3) * ROOM_INSIDE * end
    }
  })
  return [
    {
      name: 'throughput',
      title: 'Throughput against the bound',
      caption: captionOf(report, limit),
      spec: {
        config: CONFIG,
        data: { values },
        width: 640,
        height: { step: 26 },
        encoding: {
          y: { field: 'policy', type: 'nominal', sort: runs.map(run => run.policy), title: null },
          x: {
            field: 'rate',
            type: 'quantitative',
            title: 'results per second',
            scale: { domain: [0, end], nice: false }
          }
        },
        layer: [
          { mark: { type: 'bar', color: COLOURS[0], height: 20 } },
          label('datum.inside', { align: 'right', dx: -6, color: 'white' }),
          label('!datum.inside', { align: 'left', dx: 6, color: INK }),
          ...(limit === undefined ? [] : limitLine(limit))
        ]
      }
    }
  ]
}

type Layer = Extract<TopLevelSpec, { layer: unknown }>['layer'][number]

const label = (filter: string, look: { align: 'left' | 'right'; dx: number; color: string }): Layer => ({
  transform: [{ filter }],
  mark: { type: 'text', fontSize: 12, ...look },
  encoding: { text: { field: 'text' } }
})

const limitLine = (limit: number): Layer[] => {
  const x = { field: 'limit', type: 'quantitative' as const }
  const data = { values: [{ limit, text: `bound ${threeDigits(limit)}` }] }
  return [
    {
      data,
      mark: { type: 'rule', color: COLOURS[4], size: 2, strokeDash: [6, 3] },
      encoding: { x, y: { value: 0 }, y2: { value: 'height' } }
    },
    {
      data,
      mark: { type: 'text', align: 'right', fontSize: 12, color: COLOURS[4] },
      encoding: { x, y: { value: -8 }, text: { field: 'text' } }
    }
  ]
}

const limitOf = ({ bound, boundWithMemory }: RunReport): number | undefined => {
  const best = boundWithMemory ?? bound
  return best === null ? undefined : Object.values(best.rates).reduce((a, b) => a + b, 0)
}

const captionOf = (report: RunReport, limit: number | undefined): string => {
  const missing = [...new Set(report.runs.filter(run => run.because !== undefined).map(run => run.policy))]
  return [
    'Results per second under each policy, over the whole run with its start and end.',
    ...(limit === undefined
      ? []
      : [
          `The dashed line is the most that any policy can sustain with data of all sources in the mix asked for: ${threeDigits(limit)} results per second${report.boundWithMemory == null ? '' : ', with the memory there is'}.`,
          'A policy below it may not have been asked for more: sources with given arrivals set the pace.'
        ]),
    ...(missing.length === 0 ? [] : [`Not shown, for it could not finish: ${missing.join(', ')}; the table says why.`])
  ].join(' ')
}
