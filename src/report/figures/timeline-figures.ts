import type { TopLevelSpec } from 'vega-lite'
import { laneName } from '../../core/lane-name.ts'
import { rowsOfSpans } from '../../core/rows-of-spans.ts'
import type { EventMark, TaskSpan } from '../run-trace.ts'
import { threeDigits } from '../three-digits.ts'
import type { Figure, ReportData } from './figure.ts'
import { CONFIG, INK, ON_LIGHT } from './figure-style.ts'
import { finishedRuns } from './finished-runs.ts'

/** Light enough for black numbers on each of them; colours of Okabe and Ito. */
const COLOURS = ['#56b4e9', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#999999']
const WIDTH = 820
/** Bars side by side in a row that can still be told apart. */
const BARS_IN_A_ROW = 60
const MOST_DEVICES = 30
/** Changes that are shown, each with what is around it. */
const MOST_CHANGES = 6
/** After a change so many times as long is shown as of the start: placing anew takes longer than computing. */
const AROUND = 4
/** Pixels that a datum's number needs. */
const NUMBER_WIDTH = 8

/** Blocks of one datum that a device ran without a break. */
interface Bar {
  readonly device: string
  /** The device, or one of its lanes. */
  readonly row: string
  readonly source: string
  readonly datum: number
  readonly start: number
  readonly end: number
}

/** A stretch of the run that is shown. */
interface Window {
  readonly from: number
  readonly until: number
  readonly title: string
  /** What changes in it. */
  readonly events: readonly EventMark[]
}

/** What each device computed at the start and around what changed; the same seconds for every policy, so that they can be compared. */
export const timelineFigures = ({ report, trace }: ReportData): Figure[] => {
  const runs = finishedRuns(report)
  const bars = new Map(runs.map(run => [run.policy, joined(trace.tasks.filter(span => span.policy === run.policy))]))
  const windows = windowsOf([...bars.values()], trace.events)
  const sources = [...new Set(report.runs.flatMap(run => run.sources.map(source => source.name)))]
  return runs.flatMap(({ policy, devices }, i) => {
    const all = bars.get(policy)!
    if (all.length === 0) return []
    const shown = devices.slice(0, MOST_DEVICES)
    const rows = shown.flatMap(({ name }) => [...new Set([name, ...lanesOf(all, name)])])
    const left = devices.length - shown.length
    const [start] = windows
    const unseen = trace.events.length - windows.flatMap(({ events }) => events).length
    return [
      {
        name: `timeline-${policy}`,
        title: `What ran where: ${policy}`,
        caption: [
          `The first ${threeDigits(start!.until)} seconds${windows.length > 1 ? ', and what happened around each change' : ''}. Each bar is a run of blocks of one datum, with the datum's number where there is room; the colour is the source; gaps are idle time.`,
          ...(unseen > 0 ? [`${unseen} more changes are left out.`] : []),
          ...(sources.length > COLOURS.length ? ['With so many sources, colours repeat.'] : []),
          ...(left > 0 ? [`${left} more devices are left out.`] : [])
        ].join(' '),
        spec: {
          config: CONFIG,
          vconcat: windows.map((window, w) => timeline(all, window, rows, sources, w === 0)),
          spacing: 24,
          resolve: { scale: { color: 'shared' } }
        } as TopLevelSpec,
        isAside: i > 0
      }
    ]
  })
}

/** Less than this share of a block before it is no break: so long a real device takes to start the next block. */
const NO_BREAK = 0.02

const lanesOf = (bars: readonly Bar[], name: string): readonly string[] => [
  ...new Set(bars.flatMap(({ device, row }) => (device === name ? [row] : [])))
]

/** Blocks of a datum that follow each other at once in a lane, made one bar; each lane in order of time. */
const joined = (spans: readonly TaskSpan[]): Bar[] => {
  const bars: Bar[] = []
  const last = new Map<string, Bar & { end: number }>()
  const lanes = rowsOfSpans(spans, ({ device }) => device)
  const inOrder = [...spans.entries()].sort(([, a], [, b]) => a.start - b.start)
  for (const [i, { device, source, datum, start, end }] of inOrder) {
    const row = laneName(device, lanes[i]!)
    const before = last.get(row)
    if (before?.source === source && before.datum === datum && start - before.end <= 1e-9 + NO_BREAK * (end - start)) {
      before.end = end
      continue
    }
    const bar = { device, row, source, datum, start, end }
    last.set(row, bar)
    bars.push(bar)
  }
  return bars
}

/** The start, and a longer stretch around each change; changes that are close to each other are in one. */
const windowsOf = (policies: readonly (readonly Bar[])[], changes: readonly EventMark[]): Window[] => {
  const end = policies.flat().reduce((last, bar) => Math.max(last, bar.end), 0)
  const first = readable(policies, end)
  const start: Window = { from: 0, until: first, title: 'the start', events: [] }
  const events = changes.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
  if (first >= end) return [{ ...start, title: '', events }]
  const windows = [start]
  for (const event of events) {
    const last = windows.at(-1)!
    if (event.at < last.until) {
      windows[windows.length - 1] = { ...last, events: [...last.events, event] }
      continue
    }
    if (windows.length > MOST_CHANGES) break
    const from = Math.max(last.until, event.at - first)
    const until = Math.min(end, event.at + AROUND * first)
    windows.push({ from, until, title: `${Number(event.at.toPrecision(4))} s: ${event.text}`, events: [event] })
  }
  return windows
}

/** So many seconds that the row with most bars of all policies can still be read; a round number. */
const readable = (policies: readonly (readonly Bar[])[], end: number): number => {
  const rows = policies.flatMap(bars => {
    const lanes = new Set(bars.map(bar => bar.row))
    return [...lanes].map(lane => bars.filter(bar => bar.row === lane))
  })
  const until = rows.map(row => row[BARS_IN_A_ROW]?.start ?? end).reduce((a, b) => Math.min(a, b), end)
  return until >= end ? end : rounded(until)
}

const rounded = (seconds: number): number => {
  const unit = 10 ** Math.floor(Math.log10(seconds))
  return unit * ([8, 6, 5, 4, 3, 2].find(step => step * unit <= seconds) ?? 1)
}

const timeline = (
  bars: readonly Bar[],
  { from, until, title, events }: Window,
  rows: string[],
  sources: string[],
  isFirst: boolean
) => {
  const shown = bars
    .filter(bar => bar.start < until && bar.end > from && rows.includes(bar.row))
    .map(bar => ({ ...bar, start: Math.max(from, bar.start), end: Math.min(bar.end, until) }))
  const x = {
    field: 'start',
    type: 'quantitative' as const,
    title: 'seconds from the start of the run',
    axis: { tickCount: 8, format: '.6~r' },
    scale: { domain: [from, until], nice: false }
  }
  const room = (bar: Bar): number => ((bar.end - bar.start) / (until - from)) * WIDTH
  const middles = shown
    .filter(bar => room(bar) > NUMBER_WIDTH * (1 + `${bar.datum}`.length))
    .map(bar => ({ ...bar, start: (bar.start + bar.end) / 2 }))
  return {
    ...(title === '' ? {} : { title }),
    width: WIDTH,
    height: { step: 26 },
    encoding: { x, y: { field: 'row', type: 'nominal', sort: rows, title: null, scale: { domain: rows } } },
    layer: [
      {
        data: { values: shown },
        mark: { type: 'bar', height: 18, stroke: 'white', strokeWidth: 0.5 },
        encoding: {
          x2: { field: 'end' },
          color: {
            field: 'source',
            type: 'nominal',
            title: 'source',
            scale: { domain: sources, range: sources.map((_, i) => COLOURS[i % COLOURS.length]!) },
            legend: isFirst ? { orient: 'top', direction: 'horizontal', columns: 6 } : null
          }
        }
      },
      {
        data: { values: middles },
        mark: { type: 'text', fontSize: 10, color: ON_LIGHT },
        encoding: { text: { field: 'datum' } }
      },
      ...(events.length === 0 ? [] : [changeLines(events)])
    ]
  }
}

const changeLines = (events: readonly EventMark[]) => ({
  data: { values: events.map(({ at }) => ({ at })) },
  mark: { type: 'rule', color: INK, size: 2, strokeDash: [4, 3] },
  encoding: { x: { field: 'at', type: 'quantitative' }, y: { value: 0 }, y2: { value: 'height' } }
})
