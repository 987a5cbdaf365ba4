import type { renderFigure } from '../src/report/render-figure.ts'
import { POLICY_NAMES } from '../src/scheduler/policies.ts'

/** Of a policy on one kind of networks: fractions of the bound. */
export interface SuiteValue {
  readonly title: string
  readonly policy: string
  readonly mean: number
  readonly worst: number
}

const MEAN = 'mean of all networks'
const WORST = 'the worst network'
const COLOURS = ['#0072b2', '#e69f00']

/** A panel for each kind of networks, in order of the values. */
export const suiteFigure = (values: readonly SuiteValue[]): Parameters<typeof renderFigure>[0] => {
  const color = (datum: string) => ({
    datum,
    scale: { domain: [MEAN, WORST], range: COLOURS },
    legend: {
      orient: 'bottom' as const,
      direction: 'horizontal' as const,
      symbolType: 'circle',
      labelFontSize: 12,
      labelLimit: 300
    }
  })
  const x = (field: string) => ({
    field,
    type: 'quantitative' as const,
    title: 'fraction of the bound',
    scale: { domain: [0, 1] }
  })
  return {
    config: { background: 'white', font: 'sans-serif', header: { labelFontWeight: 'bold', labelFontSize: 12 } },
    data: { values: [...values] },
    facet: {
      column: { field: 'title', type: 'nominal', title: null, sort: [...new Set(values.map(({ title }) => title))] }
    },
    spec: {
      width: 300,
      height: { step: 22 },
      encoding: { y: { field: 'policy', type: 'nominal', sort: [...POLICY_NAMES], title: null } },
      layer: [
        { mark: { type: 'bar' }, encoding: { x: x('mean'), color: color(MEAN) } },
        {
          mark: { type: 'point', filled: true, size: 70, opacity: 1, stroke: 'white', strokeWidth: 1 },
          encoding: { x: x('worst'), color: color(WORST) }
        }
      ]
    }
  } as Parameters<typeof renderFigure>[0]
}
