import { UserError } from '../core/user-error.ts'

const MAX_ELEMENTS = 2 ** 31

/**
 * "x=1x3x48x320" for each input; "x=scalar" for one without dimensions; a dimension of 0 is an empty tensor.
 * @throws UserError with an example
 */
export const parseShapes = (texts: readonly string[]): ReadonlyMap<string, readonly number[]> => {
  const shapes = new Map<string, readonly number[]>()
  for (const text of texts) {
    const [, name, written] = /^(.+)=(scalar|\d+(?:x\d+)*)$/.exec(text) ?? []
    if (name === undefined || written === undefined)
      throw new UserError(`shape "${text}" is not INPUT=DIMS; write for example x=1x3x48x320, or x=scalar for a scalar`)
    const dims = written === 'scalar' ? [] : written.split('x').map(Number)
    // Without its zeros: what an empty tensor says of the other inputs counts too.
    const elements = dims.reduce((a, b) => a * (b || 1), 1)
    if (elements > MAX_ELEMENTS) throw new UserError(`shape "${text}": ${elements} elements, at most ${MAX_ELEMENTS}`)
    shapes.set(name, dims)
  }
  return shapes
}
