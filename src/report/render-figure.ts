import type { TopLevelSpec } from 'vega-lite'
import { withPackages } from '../core/with-packages.ts'

/**
 * Draw a figure as SVG, without a browser. The same specification gives the same text, and is left as it was: vega
 * marks what it draws.
 * @throws Error that vega gives for a specification that is none; UserError as `loadVega`
 */
export const renderFigure = async (spec: TopLevelSpec): Promise<string> => {
  const [{ compile }, { parse, View, Warn }] = await loadVega()
  const quiet = { warn: () => quiet, info: () => quiet, debug: () => quiet, error: () => quiet, level: () => Warn }
  const view = new View(parse(compile(structuredClone(spec), { logger: quiet as never }).spec), { renderer: 'none' })
  try {
    return await view.toSVG()
  } finally {
    view.finalize()
  }
}

/** Who draws figures installs it. @throws UserError `packageMissing` */
export const loadVega = (): Promise<[typeof import('vega-lite'), typeof import('vega')]> =>
  withPackages('a report with figures', ['vega', 'vega-lite'], () => Promise.all([import('vega-lite'), import('vega')]))
