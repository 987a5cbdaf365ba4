import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'

/** @throws UserError */
export const parseInterval = (text: string): Seconds => {
  const interval = Number(text)
  if (interval >= 0.1 && interval <= 3600) return seconds(interval)
  throw new UserError(`--interval "${text}" must be seconds, from 0.1 to 3600`)
}
