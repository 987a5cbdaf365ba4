import type { TopLevelSpec } from 'vega-lite'
import type { EventMark } from '../run-trace.ts'
import { threeDigits } from '../three-digits.ts'
import type { Figure, ReportData } from './figure.ts'
import { COLOURS, CONFIG, INK } from './figure-style.ts'
import { finishedRuns } from './finished-runs.ts'

const WIDTH = 760
/** Steps of a line that can still be told apart. */
const MOST_STEPS = 80
/** A step with fewer results says more of chance than of the network. */
const RESULTS_IN_A_STEP = 8
/** With fewer there is no course to see. */
const LEAST_STEPS = 4
/** Events whose words have room beside each other. */
const NAMED_EVENTS = 12
/** This share of the axis is room enough for the words of an event. */
const CLOSE = 0.2
/** A policy that takes longer than so many times what the fastest does goes out of the figure: the others would be pressed together. */
const LONG = 1.5

interface Step {
  readonly policy: string
  readonly at: number
  readonly rate: number
}

/** Results per second in the course of the run, a line for each policy, with what the scenario changed on the way. */
export const progressFigure = ({ report, trace }: ReportData): Figure[] => {
  const runs = finishedRuns(report)
  const policies = runs.map(run => run.policy)
  const ends = new Map(
    policies.map(policy => [
      policy,
      trace.data.flatMap(span => (span.policy === policy && span.end !== undefined ? [span.end] : []))
    ])
  )
  const lasts = [...ends.values()].map(times => times.reduce((a, b) => Math.max(a, b), 0))
  const longest = untilOf(lasts, trace.events)
  const most = Math.max(0, ...[...ends.values()].map(times => times.filter(end => end <= longest).length))
  const width = niceStep(Math.max(longest / MOST_STEPS, (longest * RESULTS_IN_A_STEP) / most))
  if (!(longest / width >= LEAST_STEPS)) return []
  const steps = [...ends].flatMap(([policy, times]) => stepsOf(policy, times, width).filter(({ at }) => at <= longest))
  const beyond = policies.filter((_, i) => lasts[i]! > longest)
  const events = trace.events.filter(({ at }) => at <= longest)
  const isNamed = events.length <= NAMED_EVENTS
  return [
    {
      name: 'progress',
      title: 'In the course of the run',
      caption: [
        `Results per second of all sources together, over ${threeDigits(width)} seconds each.`,
        ...(beyond.length === 0
          ? []
          : [`Not shown is how ${beyond.join(', ')} went on until ${threeDigits(Math.max(...lasts))} s.`]),
        ...(events.length === 0 ? [] : ['Dashed lines are what the scenario changes in mid-run.']),
        ...(isNamed ? [] : [`With ${events.length} changes, their words are left out.`])
      ].join(' '),
      spec: lines(steps, policies, isNamed ? events : events.map(({ at }) => ({ at, text: '' })), longest)
    }
  ]
}

/** As long as the fastest policy takes and half as long again, and all that changes in mid-run in any case. */
const untilOf = (lasts: readonly number[], events: readonly EventMark[]): number => {
  const longest = Math.max(0, ...lasts)
  const shortest = Math.min(...lasts.filter(last => last > 0))
  const lastEvent = Math.max(0, ...events.map(({ at }) => at).filter(at => at <= longest))
  return Math.min(longest, Math.max(LONG * shortest, 1.15 * lastEvent))
}

/** The next of 1, 2, 5, 10, … of its size. */
const niceStep = (seconds: number): number => {
  const unit = 10 ** Math.floor(Math.log10(seconds))
  return unit * ([1, 2, 5].find(step => step * unit >= seconds) ?? 10)
}

/** Only whole steps: the last one is cut short by the end of the run. */
const stepsOf = (policy: string, ends: readonly number[], width: number): Step[] => {
  const over = ends.reduce((a, b) => Math.max(a, b), 0)
  const counts = Array.from({ length: Math.floor(over / width) }, () => 0)
  for (const end of ends) {
    const i = Math.floor(end / width)
    if (i < counts.length) counts[i]!++
  }
  return counts.map((count, i) => ({ policy, at: (i + 0.5) * width, rate: count / width }))
}

/** Words of events that are close to each other would lie on each other: they get one of three heights. */
const staggered = (events: readonly EventMark[], close: number): (EventMark & { height: number })[] => {
  let level = 0
  return events
    .toSorted((a, b) => a.at - b.at)
    .map((event, i, all) => {
      level = i > 0 && event.at - all[i - 1]!.at < close ? (level + 1) % 3 : 0
      return { ...event, height: 12 * level }
    })
}

const lines = (
  steps: readonly Step[],
  policies: string[],
  events: readonly EventMark[],
  until: number
): TopLevelSpec => {
  const x = {
    field: 'at',
    type: 'quantitative' as const,
    title: 'seconds from the start of the run',
    axis: { tickCount: 8, format: '.6~r', grid: false },
    scale: { domain: [0, until], nice: false }
  }
  const marks = staggered(events, CLOSE * until)
  return {
    config: CONFIG,
    width: WIDTH,
    height: 240,
    encoding: { x },
    layer: [
      {
        data: { values: [...steps] },
        mark: { type: 'line' },
        encoding: {
          strokeWidth: { condition: { test: `datum.policy === '${policies[0]}'`, value: 3 }, value: 1.5 },
          y: { field: 'rate', type: 'quantitative', title: 'results per second', scale: { zero: true } },
          color: {
            field: 'policy',
            type: 'nominal',
            title: 'policy',
            scale: { domain: policies, range: policies.map((_, i) => COLOURS[i % COLOURS.length]!) },
            legend: { orient: 'bottom', direction: 'horizontal', columns: 6 }
          }
        }
      },
      ...(marks.length === 0
        ? []
        : [
            {
              data: { values: marks },
              mark: { type: 'rule' as const, color: INK, strokeDash: [4, 3], opacity: 0.6 },
              encoding: { y: { value: 0 }, y2: { value: 'height' as const } }
            },
            {
              data: { values: marks },
              mark: {
                type: 'text' as const,
                align: 'left' as const,
                fontSize: 10,
                color: INK,
                dx: 2,
                y: { expr: '-6 - datum.height' }
              },
              encoding: { text: { field: 'text' } }
            }
          ])
    ]
  } as TopLevelSpec
}
