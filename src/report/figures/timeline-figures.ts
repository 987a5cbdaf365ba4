import type { TopLevelSpec } from 'vega-lite'
import type { TaskSpan } from '../run-trace.ts'
import { threeDigits } from '../three-digits.ts'
import type { Figure, ReportData } from './figure.ts'
import { CONFIG } from './figure-style.ts'
import { finishedRuns } from './finished-runs.ts'

/** Light enough for black numbers on each of them; colours of Okabe and Ito. */
const COLOURS = ['#56b4e9', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#999999']
const WIDTH = 820
/** Bars side by side in a row that can still be told apart. */
const BARS_IN_A_ROW = 60
const MOST_DEVICES = 30
/** Pixels that a datum's number needs. */
const NUMBER_WIDTH = 8

/** Blocks of one datum that a device ran without a break. */
interface Bar {
  readonly device: string
  readonly source: string
  readonly datum: number
  readonly start: number
  readonly end: number
}

/** What each device computed in the first seconds; the same seconds for every policy, so that they can be compared. */
export const timelineFigures = ({ report, trace }: ReportData): Figure[] => {
  const runs = finishedRuns(report)
  const bars = new Map(runs.map(run => [run.policy, joined(trace.tasks.filter(span => span.policy === run.policy))]))
  const until = windowOf([...bars.values()])
  const sources = [...new Set(report.runs.flatMap(run => run.sources.map(source => source.name)))]
  return runs.flatMap(({ policy, devices }) => {
    const all = bars.get(policy)!
    if (all.length === 0) return []
    const rows = devices.slice(0, MOST_DEVICES).map(device => device.name)
    const shown = all
      .filter(bar => bar.start < until && rows.includes(bar.device))
      .map(bar => ({ ...bar, end: Math.min(bar.end, until) }))
    const left = devices.length - rows.length
    return [
      {
        name: `timeline-${policy}`,
        title: `What ran where: ${policy}`,
        caption: [
          `The first ${threeDigits(until)} seconds. Each bar is a run of blocks of one datum, with the datum's number where there is room; the colour is the source; gaps are idle time.`,
          ...(sources.length > COLOURS.length ? ['With so many sources, colours repeat.'] : []),
          ...(left > 0 ? [`${left} more devices are left out.`] : [])
        ].join(' '),
        spec: timeline(shown, rows, sources, until)
      }
    ]
  })
}

/** Less than this share of a block before it is no break: so long a real device takes to start the next block. */
const NO_BREAK = 0.02

/** Blocks of a datum that follow each other at once on a device, made one bar; each device in order of time. */
const joined = (spans: readonly TaskSpan[]): Bar[] => {
  const bars: Bar[] = []
  const last = new Map<string, Bar & { end: number }>()
  for (const { device, source, datum, start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    const before = last.get(device)
    if (before?.source === source && before.datum === datum && start - before.end <= 1e-9 + NO_BREAK * (end - start)) {
      before.end = end
      continue
    }
    const bar = { device, source, datum, start, end }
    last.set(device, bar)
    bars.push(bar)
  }
  return bars
}

/** So many seconds that the row with most bars of all policies can still be read; a round number. */
const windowOf = (policies: readonly (readonly Bar[])[]): number => {
  const ends = policies.flat().map(bar => bar.end)
  const longest = ends.reduce((a, b) => Math.max(a, b), 0)
  const rows = policies.flatMap(bars => {
    const devices = new Set(bars.map(bar => bar.device))
    return [...devices].map(device => bars.filter(bar => bar.device === device))
  })
  const readable = rows.map(row => row[BARS_IN_A_ROW]?.start ?? longest)
  const until = readable.reduce((a, b) => Math.min(a, b), longest)
  return until >= longest ? longest : rounded(until)
}

const rounded = (seconds: number): number => {
  const unit = 10 ** Math.floor(Math.log10(seconds))
  return unit * ([8, 6, 5, 4, 3, 2].find(step => step * unit <= seconds) ?? 1)
}

const timeline = (shown: readonly Bar[], rows: string[], sources: string[], until: number): TopLevelSpec => {
  const x = {
    field: 'start',
    type: 'quantitative' as const,
    title: 'seconds from the start of the run',
    axis: { tickCount: 8, format: '.6~r' },
    scale: { domain: [0, until], nice: false }
  }
  const middles = shown
    .filter(({ start, end, datum }) => ((end - start) / until) * WIDTH > NUMBER_WIDTH * (1 + `${datum}`.length))
    .map(bar => ({ ...bar, start: (bar.start + bar.end) / 2 }))
  return {
    config: CONFIG,
    width: WIDTH,
    height: { step: 26 },
    encoding: { x, y: { field: 'device', type: 'nominal', sort: rows, title: null, scale: { domain: rows } } },
    layer: [
      {
        data: { values: [...shown] },
        mark: { type: 'bar', height: 18, stroke: 'white', strokeWidth: 0.5 },
        encoding: {
          x2: { field: 'end' },
          color: {
            field: 'source',
            type: 'nominal',
            title: 'source',
            scale: { domain: sources, range: sources.map((_, i) => COLOURS[i % COLOURS.length]!) },
            legend: { orient: 'top', direction: 'horizontal', columns: 6 }
          }
        }
      },
      {
        data: { values: middles },
        mark: { type: 'text', fontSize: 10, color: 'black' },
        encoding: { text: { field: 'datum' } }
      }
    ]
  }
}
