import type { Figure, ReportData } from './figures/figure.ts'
import type { PolicyRun } from './run-report.ts'

/** A figure that has been drawn. */
export interface DrawnFigure extends Figure {
  readonly svg: string
}

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
  table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid #ddd }
  th:first-child, td:first-child, th.name, td.name { text-align: left } figure { margin: 2rem 0; overflow-x: auto }
  figure svg { background: #fff; max-width: 100%; height: auto } figcaption { color: #555 } code { background: #f3f3f3; padding: .1rem .3rem }
  @media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } td, th { border-color: #444 } figcaption { color: #aaa }
    code { background: #2a2a2a } figure svg { border-radius: 4px } }`

/** One page that needs nothing else: numbers, figures, how to get them again. */
export const htmlReport = ({ report, command }: ReportData, figures: readonly DrawnFigure[]): string => {
  const emulated = report.runs.some(run => run.emulated)
  const kind = emulated ? 'emulated: real processes, emulated speeds and links' : 'simulated'
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(report.scenario)}</title><style>${STYLE}
</style></head>
<body>
<h1>${escaped(report.scenario)}</h1>
<p>${kind}; again with <code>${escaped(command)}</code></p>
<table><thead><tr><th class="name">policy</th><th>results/s</th><th class="name">source</th><th>completed</th><th>mean, s</th><th>p95, s</th><th>p99, s</th></tr></thead>
<tbody>
${report.runs.flatMap(rows).join('\n')}
</tbody></table>
${figures.map(figure).join('\n')}
</body>
</html>
`
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const number = (value: number): string => (Number.isFinite(value) ? value.toPrecision(3) : '–')

const rows = (run: PolicyRun): string[] =>
  run.sources.map(({ name, admitted, completed, inferenceTime: t }, i) => {
    const rate =
      run.because !== undefined && run.throughput === 0 ? escaped(`cannot: ${run.because}`) : number(run.throughput)
    const first = i === 0 ? [escaped(run.policy), rate] : ['', '']
    const done = completed === admitted ? String(completed) : `${completed} of ${admitted}`
    return `<tr><td>${first[0]}</td><td>${first[1]}</td><td class="name">${escaped(name)}</td><td>${done}</td><td>${number(t.mean)}</td><td>${number(t.p95)}</td><td>${number(t.p99)}</td></tr>`
  })

const figure = ({ title, caption, svg }: DrawnFigure): string =>
  `<h2>${escaped(title)}</h2>\n<figure>${svg}<figcaption>${escaped(caption)}</figcaption></figure>`
