import { escapeHtml } from './escape-html.ts'
import type { Figure, ReportData } from './figures/figure.ts'
import { headline } from './headline.ts'
import { htmlTables } from './html-tables.ts'
import { PAGE_STYLE } from './page-style.ts'
import type { PolicyRun, RunReport } from './run-report.ts'

/** A figure that has been drawn. */
export interface DrawnFigure extends Figure {
  readonly svg: string
}

/** One page that needs nothing else: what came out in words, numbers, figures, how to get them again. */
export const htmlReport = ({ report, command }: ReportData, figures: readonly DrawnFigure[]): string => {
  const shown = report.runs
    .filter((run, i) => report.runs.findIndex(other => other.policy === run.policy) === i)
    .toSorted((a, b) => rank(a) - rank(b))
  const { lead, more } = headline(report)
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(report.scenario)}: policies compared</title><style>${PAGE_STYLE}
</style></head>
<body><main>
<h1>${escapeHtml(report.scenario)}</h1>
<p class="lead">${escapeHtml(lead)}</p>
<ul class="more">${more.map(text => `<li>${escapeHtml(text)}</li>`).join('')}</ul>
<p class="quiet">${introduction(report, shown)} To get this again: <code>${escapeHtml(command)}</code></p>
<section><h2>Numbers</h2>
${htmlTables(report, shown)}
<p class="quiet">Inference times run from the instant a datum is available at its source until its result is back there. The same numbers are in data.json beside this page, the figures in figures/.</p></section>
${figures.map(section).join('\n')}
</main></body>
</html>
`
}

/** Most results first, then those that did not finish. */
const rank = ({ throughput, because }: PolicyRun): number =>
  because === undefined ? -throughput : Number.POSITIVE_INFINITY

const introduction = ({ runs, simulated }: RunReport, shown: readonly PolicyRun[]): string => {
  const isEmulated = runs.some(run => run.emulated)
  const kind = isEmulated
    ? `Emulated: real processes, emulated speeds and links${simulated === undefined ? '' : ', beside what the simulation says'}`
    : 'Simulated'
  const seeds = new Set(runs.map(run => run.seed))
  const first = shown[0]
  const seed =
    seeds.size > 1 ? `${seeds.size} seeds; figures and the first table show seed ${first?.seed}` : `seed ${first?.seed}`
  return escapeHtml(first === undefined ? `${kind}. Nothing ran.` : `${kind}; ${seed}.`)
}

const section = ({ title, caption, svg, isAside }: DrawnFigure): string => {
  const [, drawn = '0'] = /^<svg[^>]* width="([\d.]+)"/.exec(svg) ?? []
  const figure = `<figure><div class="wide" style="--drawn: ${drawn}px" role="img" aria-label="${escapeHtml(title)}">${svg}</div><figcaption>${escapeHtml(caption)}</figcaption></figure>`
  return isAside === true
    ? `<details><summary>${escapeHtml(title)}</summary>${figure}</details>`
    : `<section><h2>${escapeHtml(title)}</h2>
${figure}</section>`
}
