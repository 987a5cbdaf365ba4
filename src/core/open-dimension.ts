import type { Dimension } from './tensor.ts'

const OPEN = 'tributary.data'

/** Name of a first dimension that is fixed in a model, and open in a block so that several data can be run at once. @param size of one datum's */
export const openDimension = (size: Dimension | undefined): string => (size === 1 ? OPEN : `${OPEN} x ${size}`)

/** Whether it is open for that alone: one datum has it as the model says. */
export const isOpenForMore = (dimension: Dimension | undefined): boolean =>
  typeof dimension === 'string' && dimension.startsWith(OPEN)
