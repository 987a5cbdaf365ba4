import { escapeHtml } from './escape-html.ts'
import type { Figure, ReportData } from './figures/figure.ts'
import { htmlTables } from './html-tables.ts'
import type { PolicyRun, RunReport } from './run-report.ts'

/** A figure that has been drawn. */
export interface DrawnFigure extends Figure {
  readonly svg: string
}

const STYLE = `
  :root { color-scheme: light dark; --ink: #222; --quiet: #555; --paper: #fff; --line: #ddd; --shade: #f3f3f3 }
  @media (prefers-color-scheme: dark) { :root { --ink: #ddd; --quiet: #aaa; --paper: #181818; --line: #444; --shade: #2a2a2a } }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink); background: var(--paper) }
  table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
  td, th { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid var(--line) } .name { text-align: left }
  figure { margin: 1rem 0 2.5rem } .wide { overflow-x: auto } svg { background: #fff; border-radius: 4px; max-width: 100%; height: auto }
  figcaption { color: var(--quiet); max-width: 48rem } code { background: var(--shade); padding: .1rem .3rem; overflow-wrap: anywhere }`

/** One page that needs nothing else: numbers, figures, how to get them again. */
export const htmlReport = ({ report, command }: ReportData, figures: readonly DrawnFigure[]): string => {
  const shown = report.runs.filter((run, i) => report.runs.findIndex(other => other.policy === run.policy) === i)
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(report.scenario)}: policies compared</title><style>${STYLE}
</style></head>
<body>
<h1>${escapeHtml(report.scenario)}</h1>
<p>${introduction(report, shown)}</p>
<p>To get this again: <code>${escapeHtml(command)}</code></p>
${htmlTables(report, shown)}
<p>Inference times run from the instant a datum is available at its source until its result is back there. The same numbers are in data.json beside this page, the figures in figures/.</p>
${figures.map(section).join('\n')}
</body>
</html>
`
}

const introduction = ({ runs }: RunReport, shown: readonly PolicyRun[]): string => {
  const kind = runs.some(run => run.emulated) ? 'Emulated: real processes, emulated speeds and links' : 'Simulated'
  const seeds = new Set(runs.map(run => run.seed))
  const first = shown[0]
  const seed =
    seeds.size > 1 ? `${seeds.size} seeds; figures and the first table show seed ${first?.seed}` : `seed ${first?.seed}`
  const named = shown.map(({ policy }) => policy).join(', ')
  return escapeHtml(first === undefined ? `${kind}. Nothing ran.` : `${kind}; ${seed}. Policies: ${named}.`)
}

const section = ({ title, caption, svg }: DrawnFigure): string =>
  `<section><h2>${escapeHtml(title)}</h2>
<figure><div class="wide" role="img" aria-label="${escapeHtml(title)}">${svg}</div><figcaption>${escapeHtml(caption)}</figcaption></figure></section>`
