import { describe, expect, test } from 'vitest'
import { chromeTrace } from './chrome-trace.ts'
import type { ReportData } from './figures/figure.ts'
import { htmlReport } from './html-report.ts'
import { meanInterval } from './mean-interval.ts'
import { renderFigure } from './render-figure.ts'
import { runFigures } from './run-figures.ts'

const times = { mean: 0.2, p50: 0.2, p95: 0.3, p99: 0.3 }
const data: ReportData = {
  command: 'tributary simulate <mine>.yaml',
  report: {
    scenario: 'barn & yard',
    bound: { scale: 2, rates: { cam: 8 }, latency: { cam: 0.1 } },
    runs: [
      {
        policy: 'confluence',
        seed: 1,
        emulated: false,
        makespan: 2,
        throughput: 4,
        sources: [{ name: 'cam', admitted: 8, completed: 8, lost: 0, rate: 4, inferenceTime: times }],
        devices: [
          { name: 'porch', busy: 0.5, tasks: 8, residentBytes: 1 },
          { name: 'shed', busy: 1, tasks: 8, residentBytes: 2 }
        ],
        links: [{ from: 'porch', to: 'shed', bytes: 100, busy: 0.25 }]
      },
      {
        policy: 'ddi',
        seed: 1,
        emulated: false,
        makespan: 0,
        throughput: 0,
        sources: [
          { name: 'cam', admitted: 1, completed: 0, lost: 1, rate: 0, inferenceTime: { ...times, mean: Number.NaN } }
        ],
        devices: [],
        links: [],
        because: 'no device carries <all>'
      }
    ]
  },
  trace: {
    tasks: [
      { policy: 'confluence', device: 'shed', source: 'cam', datum: 0, model: 'net', block: 1, start: 0.5, end: 1 },
      { policy: 'confluence', device: 'porch', source: 'cam', datum: 0, model: 'net', block: 0, start: 0, end: 0.25 }
    ],
    transfers: [
      { policy: 'confluence', from: 'porch', to: 'shed', source: 'cam', datum: 0, activation: 1, start: 0.25, end: 0.5 }
    ],
    inferenceTimes: [{ policy: 'confluence', source: 'cam', seconds: [0.1, 0.2, 0.3] }],
    placement: { porch: { net: [0] }, shed: { net: [0, 1] } }
  }
}

describe('a report', () => {
  test('every figure is drawn, and names what it shows', async () => {
    const drawn = await Promise.all(runFigures(data).map(async f => ({ ...f, svg: await renderFigure(f.spec) })))
    const text = (name: string): string => drawn.find(f => f.name === name)!.svg
    expect(drawn.map(f => f.name)).toEqual(['throughput', 'inference-time', 'busy', 'timeline-confluence', 'placement'])
    expect(text('throughput')).toContain('confluence')
    expect(text('inference-time')).toContain('cam')
    expect(text('busy')).toContain('porch → shed')
    expect(text('timeline-confluence')).toContain('shed')
    expect(text('placement')).toContain('net')
    const page = htmlReport(data, drawn)
    expect(page).toContain('barn &amp; yard')
    expect(page).toContain('cannot: no device carries &lt;all&gt;')
    expect(page.replaceAll(/xmlns(:\w+)?="[^"]*"/g, '')).not.toMatch(/https?:/)
  })
})

test('a trace has a process for the policy, a thread for each device and link, and spans in order', () => {
  const { traceEvents } = chromeTrace(data.trace)
  const spans = traceEvents.filter(e => e.ph === 'X')
  expect(spans.map(e => [e.ts, e.dur, e.args['block'] ?? e.args['activation']])).toEqual([
    [0, 250_000, 0],
    [250_000, 250_000, 1],
    [500_000, 500_000, 1]
  ])
  expect(traceEvents.filter(e => e.ph === 'M').map(e => e.args['name'])).toEqual([
    'confluence',
    'shed',
    'porch',
    'porch -> shed'
  ])
})

test("means with Student's 95 % interval", () => {
  expect(meanInterval([1, 2, 3])).toEqual({ mean: 2, ci95: expect.closeTo(4.303 / Math.sqrt(3), 6) })
  expect(meanInterval([5])).toEqual({ mean: 5, ci95: Number.NaN })
})
