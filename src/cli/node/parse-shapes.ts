import { UserError } from '../../core/user-error.ts'

const MAX_ELEMENTS = 2 ** 31

/** "x=1x3x48x320" for each input. @throws UserError with an example */
export const parseShapes = (texts: readonly string[]): ReadonlyMap<string, readonly number[]> =>
  new Map(
    texts.map(text => {
      const match = /^(.+)=(\d+(?:x\d+)*)$/.exec(text)
      if (match === null)
        throw new UserError(`--shape "${text}" is not INPUT=DIMS; write for example --shape x=1x3x48x320`)
      const dims = match[2]!.split('x').map(Number)
      if (dims.includes(0)) throw new UserError(`--shape "${text}": dimensions are at least 1`)
      const elements = dims.reduce((a, b) => a * b, 1)
      if (elements > MAX_ELEMENTS)
        throw new UserError(`--shape "${text}": ${elements} elements, at most ${MAX_ELEMENTS}`)
      return [match[1]!, dims] as const
    })
  )
