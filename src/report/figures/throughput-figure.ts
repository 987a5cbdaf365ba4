import type { TopLevelSpec } from 'vega-lite'
import { comparableBound } from '../comparable-bound.ts'
import type { BoundReport, PolicyRun, RunReport } from '../run-report.ts'
import { shareOfBound } from '../share-of-bound.ts'
import { threeDigits } from '../three-digits.ts'
import type { Figure, ReportData } from './figure.ts'
import { COLOURS, CONFIG, INK } from './figure-style.ts'
import { finishedRuns } from './finished-runs.ts'

/** From this share of the axis on, a bar has room for its words. */
const ROOM_INSIDE = 0.35
/** Sources whose rates a caption still names one by one. */
const NAMED_SOURCES = 6

/** Results per second under each policy; where there is a bound, as a share of it. */
export const throughputFigure = ({ report }: ReportData): Figure[] => {
  const runs = finishedRuns(report)
  if (runs.length === 0) return []
  const bound = comparableBound(report)
  return [
    {
      name: 'throughput',
      title: bound === null ? 'Throughput' : 'Throughput against the bound',
      caption: captionOf(report, runs, bound),
      spec: bars(
        runs.map(run => barOf(run, simulatedOf(report, run), bound)),
        bound === null ? 'results per second' : 'share of the bound, %',
        bound === null ? undefined : 100
      )
    }
  ]
}

interface Bar {
  readonly policy: string
  readonly length: number
  readonly text: string
  /** Of the simulation, where there is one beside an emulation. */
  readonly simulated?: number
}

type Layer = Extract<TopLevelSpec, { layer: unknown }>['layer'][number]

const barOf = (run: PolicyRun, simulated: PolicyRun | undefined, bound: BoundReport | null): Bar => {
  const length = (of: PolicyRun): number => (bound === null ? of.throughput : 100 * shareOfBound(of, bound))
  const rate = `${threeDigits(run.throughput)} results/s`
  return {
    policy: run.policy,
    length: length(run),
    text: bound === null ? rate : `${Math.floor(length(run))} %: ${rate}`,
    ...(simulated === undefined ? {} : { simulated: length(simulated) })
  }
}

/** Of the same policy. */
const simulatedOf = ({ runs, simulated = [] }: RunReport, run: PolicyRun): PolicyRun | undefined =>
  simulated[runs.indexOf(run)]

const bars = (values: readonly Bar[], title: string, limit?: number): TopLevelSpec => {
  const lengths = values.flatMap(({ length, simulated = 0 }) => [length, simulated])
  const end = 1.05 * Math.max(...lengths, limit ?? Number.MIN_VALUE)
  return {
    config: CONFIG,
    data: { values: values.map(value => ({ ...value, inside: value.length > ROOM_INSIDE * end })) },
    width: 640,
    height: { step: 26 },
    encoding: {
      y: { field: 'policy', type: 'nominal', sort: values.map(value => value.policy), title: null },
      x: { field: 'length', type: 'quantitative', title, scale: { domain: [0, end], nice: false } }
    },
    layer: [
      { mark: { type: 'bar', color: COLOURS[0], height: 20 } },
      label('datum.inside', { align: 'right', dx: -6, color: '#fefefe' }),
      label('!datum.inside', { align: 'left', dx: 6, color: INK }),
      ...(values.some(({ simulated }) => simulated !== undefined) ? [SIMULATED] : []),
      ...(limit === undefined ? [] : limitLine(limit))
    ]
  }
}

const SIMULATED: Layer = {
  transform: [{ filter: 'isValid(datum.simulated)' }],
  mark: { type: 'tick', color: COLOURS[1], thickness: 4, height: 24 },
  encoding: { x: { field: 'simulated', type: 'quantitative' } }
}

const label = (filter: string, look: { align: 'left' | 'right'; dx: number; color: string }): Layer => ({
  transform: [{ filter }],
  mark: { type: 'text', fontSize: 12, ...look },
  encoding: { text: { field: 'text' } }
})

const limitLine = (limit: number): Layer[] => {
  const x = { field: 'limit', type: 'quantitative' as const }
  const data = { values: [{ limit, text: 'the bound' }] }
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

const captionOf = (report: RunReport, runs: readonly PolicyRun[], bound: BoundReport | null): string => {
  const missing = [...new Set(report.runs.filter(run => run.because !== undefined).map(run => run.policy))]
  return [
    'Over the whole run, with its start and end.',
    ...(report.simulated === undefined ? [] : ['The orange line is what the simulation says.']),
    ...(bound === null ? [] : boundInWords(runs, bound, report.boundWithMemory != null)),
    ...(missing.length === 0 ? [] : [`Not shown, for it could not finish: ${missing.join(', ')}; the table says why.`])
  ].join(' ')
}

const boundInWords = (runs: readonly PolicyRun[], bound: BoundReport, withMemory: boolean): string[] => {
  const rates = Object.entries(bound.rates)
  const each = rates.length > 1 && rates.length <= NAMED_SOURCES
  const total = rates.reduce((sum, [, rate]) => sum + rate, 0)
  const named = each
    ? rates.map(([name, rate]) => `${name} ${threeDigits(rate)}`).join(' and ')
    : `${threeDigits(total)} in all`
  return [
    `The dashed line, 100 %, is what no policy exceeds, for the network as the scenario starts${withMemory ? ' and with the memory there is' : ''}: ${named} results per second.`,
    ...(rates.length > 1 ? ['A policy is as long as its source that stays furthest below that.'] : []),
    ...(runs.some(run => hasOtherMix(run, bound))
      ? [
          'The run asked for another mix of sources than the bound is for, so that sums of results cannot be compared with it.'
        ]
      : [])
  ]
}

/** Sources got more than a tenth apart what the bound gives them. */
const hasOtherMix = (run: PolicyRun, { rates }: BoundReport): boolean => {
  const shares = run.sources.map(({ name, rate }) => rate / rates[name]!).filter(share => share > 0)
  return Math.max(...shares) > 1.1 * Math.min(...shares)
}
