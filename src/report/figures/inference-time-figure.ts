import type { TopLevelSpec } from 'vega-lite'
import { threeDigits } from '../three-digits.ts'
import type { Figure, ReportData } from './figure.ts'
import { COLOURS, CONFIG, INK } from './figure-style.ts'
import { finishedRuns } from './finished-runs.ts'

/** Panels that a page still shows at a glance. */
const MOST_SOURCES = 12
/** A policy so many times as slow as the middle one would press the others together on a linear axis. */
const WIDE = 3

/** Boxes of inference times: a row for each policy, a panel for each source. */
export const inferenceTimeFigure = ({ report, trace }: ReportData): Figure[] => {
  const policies = finishedRuns(report).map(run => run.policy)
  const known = trace.inferenceTimes.filter(({ policy, seconds }) => policies.includes(policy) && seconds.length > 0)
  const sources = [...new Set(known.map(({ source }) => source))]
  const panels = sources.slice(0, MOST_SOURCES)
  const values = known.filter(({ source }) => panels.includes(source)).map(box)
  if (values.length === 0) return []
  const slowest = values.map(v => v.p95).sort((a, b) => a - b)
  const isWide = slowest.at(-1)! > WIDE * slowest[Math.floor(slowest.length / 2)]!
  const left = sources.length - panels.length
  return [
    {
      name: 'inference-time',
      title: 'Inference time by policy and source',
      caption: [
        'From the instant a datum is available at its source until its result is back there. Each box holds the middle half of the data, its dark line is the median, told on the right; the thin line reaches from the 5th to the 95th percentile. Further left is faster.',
        ...(isWide ? ['The time axis is logarithmic.'] : []),
        ...(left > 0 ? [`${left} more sources are in the table.`] : [])
      ].join(' '),
      spec: panelsOf(values, policies, panels, isWide)
    }
  ]
}

interface Box {
  readonly policy: string
  readonly source: string
  readonly p5: number
  readonly p25: number
  readonly p50: number
  readonly p75: number
  readonly p95: number
  readonly text: string
}

const box = ({ policy, source, seconds }: { policy: string; source: string; seconds: readonly number[] }): Box => {
  const sorted = seconds.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
  const p50 = at(0.5)
  return {
    policy,
    source,
    p5: at(0.05),
    p25: at(0.25),
    p50,
    p75: at(0.75),
    p95: at(0.95),
    text: `median ${threeDigits(p50)}`
  }
}

const panelsOf = (values: readonly Box[], policies: string[], panels: string[], isWide: boolean): TopLevelSpec => {
  const end = 1.04 * Math.max(...values.map(v => v.p95))
  const first = isWide ? Math.min(...values.map(v => v.p5)) / 1.1 : 0
  const x = (field: string) => ({
    field,
    type: 'quantitative' as const,
    title: 'inference time, seconds',
    scale: { type: isWide ? ('log' as const) : ('linear' as const), domain: [first, end], nice: false },
    axis: { format: '~g', tickCount: 6 }
  })
  return {
    config: CONFIG,
    data: { values: [...values] },
    facet: { field: 'source', type: 'nominal', sort: panels, title: null, header: { labelAnchor: 'start' } },
    columns: panels.length === 1 ? 1 : 2,
    spacing: { row: 24, column: 16 },
    resolve: { axis: { x: 'independent', y: 'independent' } },
    spec: {
      width: panels.length === 1 ? 600 : 260,
      height: { step: 24 },
      encoding: { y: { field: 'policy', type: 'nominal', sort: policies, title: null, scale: { domain: policies } } },
      layer: [
        { mark: { type: 'rule', color: INK }, encoding: { x: x('p5'), x2: { field: 'p95' } } },
        {
          mark: { type: 'bar', color: COLOURS[5], stroke: COLOURS[5], height: 14 },
          encoding: { x: x('p25'), x2: { field: 'p75' } }
        },
        { mark: { type: 'tick', color: INK, thickness: 2, height: 18 }, encoding: { x: x('p50') } },
        {
          mark: { type: 'text', align: 'left', dx: 8, fontSize: 11, color: INK },
          encoding: { x: { value: 'width' }, text: { field: 'text' } }
        }
      ]
    }
  } as TopLevelSpec
}
