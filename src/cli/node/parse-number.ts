import { UserError } from '../../core/user-error.ts'

export interface NumberRange {
  readonly least: number
  readonly most: number
  readonly isWhole?: boolean
  /** A word that may stand there too, for the message. */
  readonly orElse?: string
}

/** The number that a flag gives. @throws UserError with flag, value and limits */
export const parseNumber = (
  flag: string,
  text: string,
  { least, most, isWhole = false, orElse }: NumberRange
): number => {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (value >= least && value <= most && (!isWhole || Number.isInteger(value))) return value
  throw new UserError(
    `${flag} "${text}" must be ${isWhole ? 'a whole number' : 'a number'} from ${least} to ${most}${orElse === undefined ? '' : `, or ${orElse}`}`
  )
}
