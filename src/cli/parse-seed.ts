import { UserError } from '../core/user-error.ts'

/**
 * The first of `count` seeds, each one more than the one before.
 * @throws UserError when they are not whole numbers that are told apart
 */
export const parseSeed = (text: string, count = 1): number => {
  const seed = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN
  const most = Number.MAX_SAFE_INTEGER - count + 1
  if (seed <= most) return seed
  throw new UserError(
    `--seed "${text}" is not a whole number from 0 to ${most}${count === 1 ? '' : `, for ${count} seeds from there on`}`
  )
}
