import type { NodeOptions } from './node-options.ts'
import { parseShapes } from './parse-shapes.ts'

/** The shapes that `--shape` gives for a model: of "MODEL:INPUT=DIMS" only its own; without a model they are for all. */
export const shapesFor = (
  name: string,
  { shapes, models }: Pick<NodeOptions, 'shapes' | 'models'>
): ReadonlyMap<string, readonly number[]> => {
  const known = [...models.map(model => model.name), name]
  return parseShapes(
    shapes.flatMap(text => {
      const of = known.find(model => text.startsWith(`${model}:`))
      return of === undefined ? [text] : of === name ? [text.slice(name.length + 1)] : []
    })
  )
}
