import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ReportData } from './figures/figure.ts'
import { type DrawnFigure, htmlReport } from './html-report.ts'
import { PALETTE } from './page-style.ts'
import { renderFigure } from './render-figure.ts'
import { runFigures } from './run-figures.ts'
import type { PolicyRun } from './run-report.ts'
import type { TaskSpan } from './run-trace.ts'

const times = { mean: 0.2, p50: 0.2, p95: 0.3, p99: 0.3 }
const run: PolicyRun = {
  policy: 'confluence',
  seed: 1,
  emulated: false,
  makespan: 2,
  throughput: 4,
  sources: [{ name: 'cam', admitted: 8, completed: 8, dropped: 0, lost: 0, rate: 4, inferenceTime: times }],
  devices: [
    { name: 'porch', busy: 0.5, tasks: 8, residentBytes: 1 },
    { name: 'shed', busy: 0.001, tasks: 8, residentBytes: 2 }
  ],
  links: [
    { from: 'porch', to: 'shed', bytes: 100, busy: 0.25 },
    { from: 'shed', to: 'porch', bytes: 0, busy: 0 }
  ]
}
const unable: PolicyRun = {
  ...run,
  policy: 'ddi',
  throughput: 0,
  sources: [
    {
      name: 'cam',
      admitted: 1,
      completed: 0,
      dropped: 0,
      lost: 1,
      rate: 0,
      inferenceTime: { ...times, mean: Number.NaN }
    }
  ],
  devices: [],
  links: [],
  because: 'no device carries <all>'
}
const task = (device: string, datum: number, block: number, start: number, end: number): TaskSpan => ({
  policy: 'confluence',
  device,
  source: 'cam',
  datum,
  model: 'net',
  block,
  start,
  end
})
const data: ReportData = {
  command: 'tributary simulate <mine>.yaml',
  report: {
    saturated: true,
    scenario: 'barn & yard',
    bound: { scale: 2, rates: { cam: 8 }, latency: { cam: 0.1 } },
    runs: [run, unable]
  },
  trace: {
    tasks: [task('shed', 0, 1, 0.5, 0.75), task('porch', 0, 0, 0, 0.25), task('shed', 0, 2, 0.75, 1)],
    transfers: [],
    data: [],
    events: [],
    inferenceTimes: [{ policy: 'confluence', source: 'cam', seconds: [0.3, 0.1, 0.2] }],
    placement: { porch: { net: [0] }, shed: { net: [1, 2] } }
  }
}

interface Bar {
  readonly row: string
  readonly start: number
  readonly end: number
}

interface Stretch {
  readonly title?: string
  readonly layer: readonly { readonly data: { readonly values: readonly Bar[] } }[]
}
const stretchesOf = ({ spec }: { readonly spec: unknown }): readonly Stretch[] =>
  (spec as { readonly vconcat: readonly Stretch[] }).vconcat

const draw = (from: ReportData): Promise<DrawnFigure[]> =>
  Promise.all(runFigures(from).map(async figure => ({ ...figure, svg: await renderFigure(figure.spec) })))
const wordsIn = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(match => match[1]!)
const wordsOf = async (name: string, from = data): Promise<string[]> =>
  wordsIn((await draw(from)).find(figure => figure.name === name)!.svg)

describe('figures', () => {
  test('there is one for all that a run has', () => {
    expect(runFigures(data).map(figure => figure.name)).toEqual([
      'throughput',
      'inference-time',
      'busy',
      'placement',
      'timeline-confluence'
    ])
  })

  test('throughput is told in results and as a share of the bound', async () => {
    expect(await wordsOf('throughput')).toEqual(
      expect.arrayContaining(['confluence', '50 %: 4.00 results/s', 'the bound', 'share of the bound, %'])
    )
    expect(runFigures(data)[0]!.caption).toContain('could not finish: ddi')
  })

  test('a run with another mix of sources than the bound stays below it, although its sum does not', async () => {
    const source = run.sources[0]!
    const sources = [
      { ...source, name: 'few', rate: 3.8 },
      { ...source, name: 'many', rate: 11.5 }
    ]
    const mixed: ReportData = {
      ...data,
      report: {
        ...data.report,
        bound: { scale: 4, rates: { few: 4, many: 4 }, latency: {} },
        runs: [{ ...run, sources, throughput: 15.3 }]
      }
    }
    expect(await wordsOf('throughput', mixed)).toContain('95 %: 15.3 results/s')
    expect(runFigures(mixed)[0]!.caption).toContain('another mix of sources')
  })

  test('without a bound, throughput is plain results per second', async () => {
    const words = await wordsOf('throughput', { ...data, report: { ...data.report, bound: null } })
    expect(words).toContain('results per second')
    expect(words).not.toContain('the bound')
  })

  test('inference times: a panel for a source, the median of a policy', async () => {
    expect(await wordsOf('inference-time')).toEqual(
      expect.arrayContaining(['cam', 'confluence', 'median 0.200', 'inference time, seconds'])
    )
  })

  test('busy shares in percent; links that sent nothing are left out', async () => {
    const words = await wordsOf('busy')
    expect(words).toEqual(expect.arrayContaining(['porch', 'shed', 'porch → shed', '50', '25', '&lt; 1']))
    expect(words).not.toContain('shed → porch')
  })

  test('the course of a run: results per second in whole steps, and what changed on the way', async () => {
    const home = (datum: number, end: number) => ({
      policy: 'confluence',
      source: 'cam',
      device: 'porch',
      datum,
      start: 0,
      end
    })
    // Ten results a second for ten seconds, then five.
    const before = Array.from({ length: 100 }, (_, i) => home(i, 0.05 + 0.1 * i))
    const after = Array.from({ length: 50 }, (_, i) => home(100 + i, 10.1 + 0.2 * i))
    const events = [{ at: 10, text: 'shed: speed 0.1' }]
    const from: ReportData = { ...data, trace: { ...data.trace, data: [...before, ...after], events } }
    const figure = runFigures(from).find(({ name }) => name === 'progress')!
    const { layer } = figure.spec as unknown as { layer: { data: { values: { at: number; rate: number }[] } }[] }
    expect(figure.caption).toContain('over 2.00 seconds each')
    expect(layer[0]!.data.values.map(({ at, rate }) => [at, rate])).toEqual([
      [1, 10],
      [3, 10],
      [5, 10],
      [7, 10],
      [9, 10],
      [11, 5],
      [13, 5],
      [15, 5],
      [17, 5]
    ])
    expect(await wordsOf('progress', from)).toEqual(
      expect.arrayContaining(['shed: speed 0.1', 'results per second', 'confluence'])
    )
  })

  test('in a timeline, blocks of a datum that follow each other are one bar', () => {
    const [whole] = stretchesOf(runFigures(data).at(-1)!)
    expect(whole!.layer[0]!.data.values).toEqual([
      { device: 'porch', row: 'porch', source: 'cam', datum: 0, start: 0, end: 0.25 },
      { device: 'shed', row: 'shed', source: 'cam', datum: 0, start: 0.5, end: 1 }
    ])
  })

  test('what a device runs at once has a row for each of its lanes, in a timeline', () => {
    const tasks = [task('shed', 0, 0, 0, 2), task('shed', 1, 0, 1, 3), task('shed', 0, 1, 2, 4)]
    const [whole] = stretchesOf(runFigures({ ...data, trace: { ...data.trace, tasks } }).at(-1)!)
    const bars = whole!.layer[0]!.data.values
    expect(bars.map(({ row, start, end }) => [row, start, end])).toEqual([
      ['shed', 0, 4],
      ['shed, lane 2', 1, 3]
    ])
  })

  test('of a long run, a timeline shows the first seconds and says so', () => {
    const tasks = Array.from({ length: 5000 }, (_, i) => task('shed', i, 0, i, i + 0.9))
    const figure = runFigures({ ...data, trace: { ...data.trace, tasks } }).at(-1)!
    const [start, ...others] = stretchesOf(figure)
    expect(figure.caption).toContain('The first 60.0 seconds')
    expect(start!.layer[0]!.data.values).toHaveLength(60)
    expect(others).toEqual([])
  })

  test('and what happened around each change, those close to each other together', () => {
    const tasks = Array.from({ length: 5000 }, (_, i) => task('shed', i, 0, i, i + 0.9))
    const events = [
      { at: 1000, text: 'attic is killed' },
      { at: 1100, text: 'attic joins' },
      { at: 3000, text: 'shed: speed 0.1' },
      { at: 9000, text: 'after the end' }
    ]
    const stretches = stretchesOf(runFigures({ ...data, trace: { ...data.trace, tasks, events } }).at(-1)!)
    const spans = stretches.map(({ title, layer }) => [title, layer[0]!.data.values[0]!.start, layer.length])
    expect(spans).toEqual([
      ['the start', 0, 2],
      ['1000 s: attic is killed', 940, 3],
      ['3000 s: shed: speed 0.1', 2940, 3]
    ])
  })

  test('a slow policy does not press together how the others went on', () => {
    const home = (policy: string) => (_: unknown, datum: number) => ({
      ...{ policy, source: 'cam', device: 'porch', datum, start: 0 },
      end: (policy === 'ddi' ? 1 : 0.1) * (datum + 1)
    })
    const spans = ['confluence', 'ddi'].flatMap(policy => Array.from({ length: 100 }, home(policy)))
    const from: ReportData = {
      ...data,
      report: { ...data.report, runs: [run, { ...run, policy: 'ddi', throughput: 1 }] },
      trace: { ...data.trace, data: spans }
    }
    const figure = runFigures(from).find(({ name }) => name === 'progress')!
    const { encoding } = figure.spec as unknown as { encoding: { x: { scale: { domain: number[] } } } }
    expect(encoding.x.scale.domain).toEqual([0, 15])
    expect(figure.caption).toContain('how ddi went on until 100 s')
  })

  test('what the simulation says is beside what ran', async () => {
    const simulated = [{ ...run, throughput: 5, sources: [{ ...run.sources[0]!, rate: 5 }] }, unable]
    const report = { ...data.report, simulated, runs: [{ ...run, emulated: true }, unable] }
    const page = htmlReport({ ...data, report }, await draw({ ...data, report }))
    expect(page).toContain('Real processes give what the simulation says to within 20.0 % (less).')
    expect(page).toContain('<td class="name">results/s</td><td>4.00</td><td>5.00</td><td>−20.0 %</td>')
    expect(page).toContain('The orange line is what the simulation says.')
  })

  test('the same data draw the same figure', async () => {
    expect(await draw(data)).toEqual(await draw(data))
  })

  test('nothing ran: no figure, no failure', () => {
    const nothing = { tasks: [], transfers: [], data: [], events: [], inferenceTimes: [], placement: {} }
    expect(runFigures({ ...data, report: { ...data.report, runs: [unable] }, trace: nothing })).toEqual([])
  })
})

describe('the page', () => {
  test('needs nothing from elsewhere: no links, scripts or styles', async () => {
    const page = htmlReport(data, await draw(data))
    expect(page.replaceAll(/xmlns(:\w+)?="[^"]*"/g, '')).not.toMatch(/https?:|<script|<link|@import|\bsrc=/)
    const ids = [...page.matchAll(/\bid="([^"]*)"/g)].map(match => match[1])
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('has the name, the command, the numbers, and why a policy could not run, all escaped', async () => {
    const page = htmlReport(data, await draw(data))
    expect(page).toContain('<h1>barn &amp; yard</h1>')
    expect(page).toContain('<code>tributary simulate &lt;mine&gt;.yaml</code>')
    expect(page).toContain('<td>4.00</td><td>50</td><td class="name">cam</td><td>8</td><td>0.200</td>')
    expect(page).toContain('cannot run: no device carries &lt;all&gt;')
    expect(page).not.toContain('NaN')
  })

  test('has no column without a number in it', async () => {
    const page = htmlReport({ ...data, report: { ...data.report, bound: null } }, [])
    expect(page).not.toContain('of bound')
    expect(page).toContain('<td>4.00</td><td class="name">cam</td>')
  })

  test('is in the colours of the page that shows a cluster live', () => {
    const css = readFileSync(join(import.meta.dirname, '..', 'dashboard', 'page', 'page.css'), 'utf8')
    const [light, dark] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, block]) =>
      Object.fromEntries([...block!.matchAll(/--([\w-]+):\s*(#\w+)/g)].map(([, name, colour]) => [name, colour]))
    )
    expect([light, dark]).toMatchObject([PALETTE.light, PALETTE.dark])
  })

  test('tells how many seeds ran, and their means', () => {
    const half = { mean: 4, ci95: 0.5 }
    const sources = [{ name: 'cam', inferenceTime: { mean: half, p95: half } }]
    const summary = [{ policy: 'confluence', seeds: 2, throughput: half, makespan: half, sources }]
    const runs = [run, { ...run, seed: 2 }]
    const page = htmlReport({ ...data, report: { ...data.report, runs, summary } }, [])
    expect(page).toContain('2 seeds; figures and the first table show seed 1.')
    expect(page).toContain('<td>4.00 ± 0.500</td>')
  })
})
