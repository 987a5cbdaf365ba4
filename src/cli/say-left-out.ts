import type { LeftOut } from '../model/left-out.ts'

/** On stderr, what of a model no block has. */
export const sayLeftOut = async (leftOut: readonly LeftOut[]): Promise<void> => {
  if (leftOut.length === 0) return
  const { describeLeftOut } = await import('../model/left-out.ts')
  process.stderr.write(`${describeLeftOut(leftOut)}\n`)
}
