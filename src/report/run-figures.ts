import { busyFigure } from './figures/busy-figure.ts'
import type { Figure, ReportData } from './figures/figure.ts'
import { inferenceTimeFigure } from './figures/inference-time-figure.ts'
import { placementFigure } from './figures/placement-figure.ts'
import { progressFigure } from './figures/progress-figure.ts'
import { throughputFigure } from './figures/throughput-figure.ts'
import { timelineFigures } from './figures/timeline-figures.ts'

/** Every figure of a report for which there is something to draw. */
export const runFigures = (data: ReportData): Figure[] => [
  ...throughputFigure(data),
  ...progressFigure(data),
  ...inferenceTimeFigure(data),
  ...busyFigure(data),
  ...placementFigure(data),
  ...timelineFigures(data)
]
