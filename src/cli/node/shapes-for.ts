import { parseShapes } from '../../model/parse-shapes.ts'
import type { NodeOptions } from './node-options.ts'

/** The shapes that `--shape` gives for a model: of "MODEL:INPUT=DIMS" only its own, which win; without a model they are for all. */
export const shapesFor = (
  name: string,
  { shapes, models }: Pick<NodeOptions, 'shapes' | 'models'>
): ReadonlyMap<string, readonly number[]> => {
  const known = [...models.map(model => model.name), name]
  const modelOf = (text: string): string | undefined => known.find(model => text.startsWith(`${model}:`))
  const general = shapes.filter(text => modelOf(text) === undefined)
  const own = shapes.filter(text => modelOf(text) === name).map(text => text.slice(name.length + 1))
  return parseShapes([...general, ...own])
}
