import { UserError } from '../core/user-error.ts'

/** A whole number from 1 to `most`. @throws UserError that names the flag */
export const parseCount = (flag: string, text: string, most: number): number => {
  const count = /^\d{1,9}$/.test(text.trim()) ? Number(text) : 0
  if (count >= 1 && count <= most) return count
  throw new UserError(`${flag} "${text}" is not a whole number from 1 to ${most}`)
}
