import { seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import type { DataPort, Item } from '../../runtime/ports/data-port.ts'
import { ItemUnavailable } from '../../runtime/ports/item-unavailable.ts'
import { type ToyModel, textOf, toyInput } from './toy-model.ts'

export interface ToyPortParts {
  /** Number of the source. */
  readonly source: number
  /** Data whose items are not what they should be. */
  readonly bad: readonly number[]
  /** Whether its items cannot be read now. */
  readonly isAway: () => boolean
}

/** So many data of a source are told apart by their tags. */
export const TAGS = 1000

/** The item of a datum. */
export const toyItem = (datum: number): Item => ({ name: String(datum) })

/** Data of a simulated source: numbers that tell which datum they are of, and the model that made the result. */
export const toyPort = (model: ToyModel, { source, bad, isAway }: ToyPortParts): DataPort => {
  const requireThere = ({ name }: Item): void => {
    if (isAway()) throw new ItemUnavailable(`${name}: ENOENT: no such file`)
  }
  return {
    read: async item => {
      requireThere(item)
      const datum = Number(item.name)
      if (bad.includes(datum)) throw new UserError(`${item.name}: is not what it should be`)
      return [toyInput(model, source, source * TAGS + datum)]
    },
    stamp: async item => {
      requireThere(item)
      return { id: item.name, modified: seconds(0) }
    },
    write: async (_, outputs) => `${model.manifest.id.slice(0, 8)} ${textOf(outputs[0]!)}`,
    exampleInputs: specs =>
      specs.map(spec => ({ spec, dims: spec.shape.map(dim => (typeof dim === 'number' ? dim : 1)) }))
  }
}
