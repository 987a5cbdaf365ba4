import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReportData } from '../../report/figures/figure.ts'
import { type DrawnFigure, htmlReport } from '../../report/html-report.ts'
import { renderFigure } from '../../report/render-figure.ts'
import { runFigures } from '../../report/run-figures.ts'

/** Write index.html, which needs nothing else, figures/*.svg, and the numbers as data.json. Files of these names are replaced. */
export const writeReport = async (folder: string, data: ReportData): Promise<void> => {
  await mkdir(join(folder, 'figures'), { recursive: true })
  const drawn: DrawnFigure[] = []
  for (const figure of runFigures(data)) {
    const svg = await renderFigure(figure.spec)
    drawn.push({ ...figure, svg })
    await writeFile(join(folder, 'figures', `${figure.name}.svg`), svg)
  }
  await writeFile(join(folder, 'index.html'), htmlReport(data, drawn))
  await writeFile(join(folder, 'data.json'), JSON.stringify(data.report))
}
