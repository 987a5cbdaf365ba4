import type { TopLevelSpec } from 'vega-lite'
import type { Figure, ReportData } from './figure.ts'
import { COLOURS, CONFIG } from './figure-style.ts'

const WIDTH = 700
const HEIGHT = 900

/** Which device carries which blocks: a panel for each model. */
export const placementFigure = ({ trace: { placement } }: ReportData): Figure[] => {
  const devices = Object.keys(placement)
  const values = devices.flatMap(device =>
    Object.entries(placement[device]!).flatMap(([model, blocks]) => blocks.map(block => ({ device, model, block })))
  )
  if (values.length === 0) return []
  const models = [...new Set(values.map(({ model }) => model))]
  return [
    {
      name: 'placement',
      title: 'Placement: which device carries which blocks',
      caption:
        'A filled field: the device has the weights of that block, as the planner placed them. Policies that need whole models (local, ddi) are given whole models where they fit instead.',
      spec: {
        config: CONFIG,
        vconcat: models.map(model =>
          panel(
            model,
            values.filter(value => value.model === model),
            devices
          )
        )
      } as TopLevelSpec
    }
  ]
}

const panel = (
  model: string,
  values: readonly { readonly device: string; readonly block: number }[],
  devices: readonly string[]
) => {
  const blocks = Array.from({ length: Math.max(...values.map(({ block }) => block)) + 1 }, (_, block) => block)
  return {
    title: model,
    data: { values },
    width: { step: Math.min(26, WIDTH / blocks.length) },
    height: { step: Math.max(12, Math.min(22, HEIGHT / devices.length)) },
    mark: { type: 'rect', color: COLOURS[2], stroke: 'white', strokeWidth: blocks.length > 60 ? 0.3 : 1 },
    encoding: {
      x: {
        field: 'block',
        type: 'ordinal',
        title: 'block of the model, in order of computation',
        scale: { domain: blocks },
        axis: { labelOverlap: true }
      },
      y: { field: 'device', type: 'nominal', title: null, scale: { domain: devices } }
    }
  }
}
