import type { TopLevelSpec } from 'vega-lite'
import type { RunReport } from './run-report.ts'
import type { RunTrace } from './run-trace.ts'

export interface Figure {
  /** Of its file. */
  readonly name: string
  readonly title: string
  /** What a reader should see in it. */
  readonly caption: string
  readonly spec: TopLevelSpec
}

export interface ReportData {
  readonly report: RunReport
  readonly trace: RunTrace
  /** How to get it again. */
  readonly command: string
}

/** Okabe and Ito, 2008: told apart by readers who see colours differently. */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#d55e00', '#cc79a7', '#56b4e9', '#f0e442', '#555555']
const CONFIG: NonNullable<TopLevelSpec['config']> = {
  background: 'white',
  font: 'sans-serif',
  axis: { labelFontSize: 12, titleFontSize: 12, titleFontWeight: 'normal', labelLimit: 220, gridColor: '#e5e5e5' },
  header: { labelFontSize: 12, titleFontSize: 12, labelFontWeight: 'bold' },
  legend: { labelFontSize: 12, titleFontSize: 12, titleFontWeight: 'normal' },
  view: { stroke: '#cccccc' },
  range: { category: COLOURS }
}
/** Points of a curve: more are not seen. */
const CURVE_POINTS = 100
/** Bars of a timeline that can still be told apart. */
const TIMELINE_SPANS = 1500

/** Every figure of a report for which there is something to draw. */
export const runFigures = (data: ReportData): Figure[] => [
  throughput(data),
  inferenceTimes(data),
  ...busyShares(data),
  ...timelines(data),
  ...placementMap(data)
]

const firstSeed = ({ runs }: RunReport): RunReport['runs'] =>
  runs.filter((run, i) => runs.findIndex(other => other.policy === run.policy) === i)

const finished = (report: RunReport): RunReport['runs'] => firstSeed(report).filter(run => run.because === undefined)

const policies = (report: RunReport): string[] => finished(report).map(run => run.policy)

const throughput = ({ report }: ReportData): Figure => {
  const best = report.boundWithMemory ?? report.bound
  const limit = best === null ? undefined : Object.values(best.rates).reduce((a, b) => a + b, 0)
  const saturatedHint =
    'A policy below the line may simply not be asked for more: sources with given arrivals set the pace.'
  return {
    name: 'throughput',
    title: 'Throughput',
    caption: `Results per second under each policy${limit === undefined ? '.' : `; the line is what no policy can exceed in the long run, ${limit.toPrecision(3)}/s. ${saturatedHint}`}`,
    spec: {
      config: CONFIG,
      width: 560,
      height: { step: 26 },
      layer: [
        {
          data: { values: finished(report).map(({ policy, throughput: rate }) => ({ policy, rate })) },
          mark: { type: 'bar', color: COLOURS[0]! },
          encoding: {
            y: { field: 'policy', type: 'nominal', sort: policies(report), title: null },
            x: { field: 'rate', type: 'quantitative', title: 'results per second' }
          }
        },
        {
          data: {
            values: finished(report).map(({ policy, throughput: rate }) => ({
              policy,
              rate,
              text: rate.toPrecision(3)
            }))
          },
          mark: { type: 'text', align: 'left', dx: 4, fontSize: 12, color: '#222222' },
          encoding: {
            y: { field: 'policy', type: 'nominal', sort: policies(report) },
            x: { datum: 0 },
            color: { value: 'white' },
            text: { field: 'text' }
          }
        },
        ...(limit === undefined
          ? []
          : [
              {
                data: { values: [{ limit }] },
                mark: { type: 'rule' as const, color: COLOURS[3]!, size: 2, strokeDash: [6, 3] },
                encoding: { x: { field: 'limit', type: 'quantitative' as const } }
              }
            ])
      ]
    }
  }
}

/** Empirical distribution functions, thinned to what can be seen. */
const inferenceTimes = ({ report, trace }: ReportData): Figure => {
  const shown = policies(report)
  const values = trace.inferenceTimes.flatMap(({ policy, source, seconds }) => {
    if (!shown.includes(policy)) return []
    const sorted = [...seconds].sort((a, b) => a - b)
    const points = Math.min(CURVE_POINTS, sorted.length)
    return Array.from({ length: points }, (_, i) => {
      const share = (i + 1) / points
      return { policy, source, share, seconds: sorted[Math.ceil(share * sorted.length) - 1]! }
    })
  })
  const times = values.map(value => value.seconds)
  const wide = Math.max(...times) > 30 * Math.min(...times)
  return {
    name: 'inference-time',
    title: 'Inference time',
    caption: `Share of each source's data that had their result within a time; curves further left are faster${wide ? '. The time axis is logarithmic' : ''}.`,
    spec: {
      config: CONFIG,
      data: { values },
      facet: { field: 'source', type: 'nominal', title: null, columns: 2 },
      spec: {
        width: 320,
        height: 220,
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2 },
        encoding: {
          x: {
            field: 'seconds',
            type: 'quantitative',
            title: 'inference time, seconds',
            scale: { type: wide ? 'log' : 'linear', nice: true }
          },
          y: { field: 'share', type: 'quantitative', title: 'share of data', axis: { format: '%' } },
          color: { field: 'policy', type: 'nominal', sort: policies(report), title: 'policy' }
        }
      }
    } as TopLevelSpec
  }
}

/** Devices and the links that were used: at most so many rows. */
const BUSY_ROWS = 40

const busyShares = ({ report }: ReportData): Figure[] => {
  const values = finished(report).flatMap(({ policy, devices, links }) => [
    ...devices.map(({ name, busy }) => ({ policy, what: name, kind: 'device', busy })),
    ...links
      .filter(({ bytes }) => bytes > 0)
      .map(({ from, to, busy }) => ({ policy, what: `${from} → ${to}`, kind: 'link', busy }))
  ])
  const most = new Map<string, number>()
  for (const { what, kind, busy } of values)
    most.set(what, Math.max(most.get(what) ?? 0, busy + (kind === 'device' ? 1 : 0)))
  const rows = [...most]
    .sort((a, b) => b[1] - a[1])
    .slice(0, BUSY_ROWS)
    .map(([what]) => what)
  if (rows.length === 0) return []
  const shown = values.filter(({ what }) => rows.includes(what))
  const left = most.size - rows.length
  return [
    {
      name: 'busy',
      title: 'Busy shares',
      caption: `How much of the run each device computed and each link sent, in percent; darker is busier${left > 0 ? `. ${left} that were less busy are left out` : ''}.`,
      spec: {
        config: CONFIG,
        data: { values: shown.map(value => ({ ...value, percent: Math.round(100 * value.busy) })) },
        width: { step: 84 },
        height: { step: 20 },
        encoding: {
          x: {
            field: 'policy',
            type: 'nominal',
            sort: policies(report),
            title: null,
            axis: { orient: 'top', labelAngle: 0 }
          },
          y: { field: 'what', type: 'nominal', sort: rows, title: null }
        },
        layer: [
          {
            mark: 'rect',
            encoding: {
              color: { field: 'busy', type: 'quantitative', scale: { scheme: 'blues', domain: [0, 1] }, legend: null }
            }
          },
          {
            mark: { type: 'text', fontSize: 11 },
            encoding: {
              text: { field: 'percent', type: 'quantitative' },
              color: { condition: { test: 'datum.busy > 0.6', value: 'white' }, value: '#222222' }
            }
          }
        ]
      }
    }
  ]
}

/** What each device computed from the start on, as long as single blocks can be seen. */
const timelines = ({ report, trace }: ReportData): Figure[] =>
  policies(report).flatMap(policy => {
    const spans = trace.tasks.filter(span => span.policy === policy)
    const shown = spans.toSorted((a, b) => a.start - b.start).slice(0, TIMELINE_SPANS)
    if (shown.length === 0) return []
    const until = shown.at(-1)!.start
    const devices = report.runs[0]!.devices.map(({ name }) => name)
    return [
      {
        name: `timeline-${policy}`,
        title: `What ran where: ${policy}`,
        caption:
          shown.length < spans.length
            ? `The first ${until.toPrecision(3)} seconds; each bar is a block that ran, coloured by source.`
            : 'Each bar is a block that ran, coloured by source.',
        spec: {
          config: CONFIG,
          data: { values: shown.map(({ device, source, start, end }) => ({ device, source, start, end })) },
          width: 760,
          height: { step: 24 },
          mark: { type: 'bar', height: 16, stroke: 'white', strokeWidth: 0.4 },
          encoding: {
            x: { field: 'start', type: 'quantitative', title: 'seconds from the start', scale: { nice: false } },
            x2: { field: 'end' },
            y: { field: 'device', type: 'nominal', sort: devices, title: null },
            color: { field: 'source', type: 'nominal', title: 'source' }
          }
        }
      } satisfies Figure
    ]
  })

const placementMap = ({ trace }: ReportData): Figure[] => {
  const devices = Object.keys(trace.placement)
  const values = devices.flatMap(device =>
    Object.entries(trace.placement[device]!).flatMap(([model, blocks]) =>
      blocks.map(block => ({ device, model, block }))
    )
  )
  if (values.length === 0) return []
  return [
    {
      name: 'placement',
      title: 'Placement',
      caption: 'Which device carries which blocks of a model, as planned.',
      spec: {
        config: CONFIG,
        data: { values },
        facet: { row: { field: 'model', type: 'nominal', title: null } },
        spec: {
          width: { step: 26 },
          height: { step: 22 },
          mark: { type: 'rect', color: COLOURS[2]!, stroke: 'white' },
          encoding: {
            x: { field: 'block', type: 'ordinal', title: 'block', axis: { labelAngle: 0 } },
            y: { field: 'device', type: 'nominal', sort: devices, title: null, scale: { domain: devices } }
          }
        },
        resolve: { scale: { x: 'independent' } }
      } as TopLevelSpec
    }
  ]
}
